"""Asks plus_one.py over HTTP, by httpx as the documentation of mosec does."""

import os

import httpx
import numpy as np
from tasks import arrays, serve


def connect():
    client = httpx.Client(base_url=f'http://127.0.0.1:{os.environ["PORT"]}')

    def send(array):
        answer = client.post('/inference', content=array.tobytes()).raise_for_status()
        return np.frombuffer(answer.content, 'float32')

    return send


if __name__ == '__main__':
    serve(arrays(connect))
