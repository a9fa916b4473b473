"""pytriton: a model; Triton batches what is there at the same time."""

import os

import encoder
import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

PORT, BATCH = int(os.environ['PORT']), int(os.environ['BATCH'])
MODEL = encoder.load()


@batch
def encode(text):
    return {'embedding': MODEL.embed(np.char.decode(text[:, 0].astype(np.bytes_), 'utf-8').tolist())}


if __name__ == '__main__':
    with Triton(
        config=TritonConfig(http_address='127.0.0.1', http_port=PORT, allow_grpc=False, allow_metrics=False)
    ) as triton:
        triton.bind(
            model_name='encode',
            infer_func=encode,
            inputs=[Tensor(name='text', dtype=bytes, shape=(1,))],
            outputs=[Tensor(name='embedding', dtype=np.float32, shape=(256,))],
            config=ModelConfig(
                max_batch_size=BATCH, batcher=DynamicBatcher(max_queue_delay_microseconds=5000 if BATCH > 1 else 0)
            ),
        )
        triton.serve()
