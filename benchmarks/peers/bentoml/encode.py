"""BentoML: a model; with `batchable`, requests that are there at the same time share a call."""

import os

import bentoml
import encoder

BATCH = int(os.environ['BATCH'])


@bentoml.service(logging={'access': {'enabled': False}})
class Encoder:
    def __init__(self):
        self.model = encoder.load()

    if BATCH == 1:

        @bentoml.api
        def encode(self, text: str) -> dict:
            return {'embedding': self.model.embed([text])[0].tolist()}

    else:

        @bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=1000)
        def encode(self, text: list[str]) -> list[list[float]]:
            return self.model.embed(text).tolist()
