"""Asks plus_one.py by BentoML's own client, which sends arrays as JSON: its binary form is for its own Services."""

import os

import bentoml
import numpy as np
from tasks import arrays, serve


def connect():
    client = bentoml.SyncHTTPClient(f'http://127.0.0.1:{os.environ["PORT"]}')
    return lambda array: np.asarray(client.add(array=array), 'float32')


if __name__ == '__main__':
    serve(arrays(connect))
