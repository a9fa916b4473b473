"""pytriton: a function behind NVIDIA's Triton Inference Server; the JSON is KServe's."""

import os

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

PORT = int(os.environ['PORT'])


@batch
def upper(text):
    return {'upper': np.char.upper(text.astype(np.bytes_))}


if __name__ == '__main__':
    with Triton(
        config=TritonConfig(http_address='127.0.0.1', http_port=PORT, allow_grpc=False, allow_metrics=False)
    ) as triton:
        triton.bind(
            model_name='upper',
            infer_func=upper,
            inputs=[Tensor(name='text', dtype=bytes, shape=(1,))],
            outputs=[Tensor(name='upper', dtype=bytes, shape=(1,))],
            config=ModelConfig(max_batch_size=32, batcher=DynamicBatcher()),
        )
        triton.serve()
