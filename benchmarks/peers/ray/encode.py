"""Ray Serve: a model; with `serve.batch`, requests that are there at the same time share a call."""

import os
import signal

import encoder
import ray
from ray import serve
from ray.serve.schema import LoggingConfig

BATCH = int(os.environ['BATCH'])
QUIET = LoggingConfig(enable_access_log=False, log_level='ERROR')


@serve.deployment(max_ongoing_requests=100, ray_actor_options={'num_cpus': 0.1}, logging_config=QUIET)
class Encoder:
    def __init__(self):
        self.model = encoder.load()

    @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=0.005 if BATCH > 1 else 0)
    async def embed(self, texts):
        return self.model.embed(texts).tolist()

    async def __call__(self, request):
        text = (await request.json())['text']
        return {'embedding': await self.embed(text) if BATCH > 1 else self.model.embed([text])[0].tolist()}


if __name__ == '__main__':
    ray.init(include_dashboard=False, log_to_driver=False, logging_level='ERROR')
    serve.start(http_options={'host': '127.0.0.1', 'port': int(os.environ['PORT'])}, logging_config=QUIET)
    serve.run(Encoder.bind())
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()
