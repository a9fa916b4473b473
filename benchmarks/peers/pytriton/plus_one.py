"""pytriton: arrays as tensors."""

import os

import numpy as np
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

CONFIG = TritonConfig(
    http_address='127.0.0.1', http_port=int(os.environ['PORT']), allow_grpc=False, allow_metrics=False
)


def plus_one(requests):
    return [{'answer': request['array'] + 1} for request in requests]


if __name__ == '__main__':
    with Triton(config=CONFIG) as triton:
        triton.bind(
            model_name='plus_one',
            infer_func=plus_one,
            inputs=[Tensor(name='array', dtype=np.float32, shape=(-1,))],
            outputs=[Tensor(name='answer', dtype=np.float32, shape=(-1,))],
            config=ModelConfig(batching=False),
        )
        triton.serve()
