"""Asks plus_one.py by pytriton's own client."""

import os

from pytriton.client import ModelClient
from tasks import arrays, serve


def connect():
    client = ModelClient(f'http://127.0.0.1:{os.environ["PORT"]}', 'plus_one', init_timeout_s=90)
    return lambda array: client.infer_sample(array)['answer']


if __name__ == '__main__':
    serve(arrays(connect))
