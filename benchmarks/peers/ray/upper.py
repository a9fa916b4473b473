"""Ray Serve: deployments, of which the first answers HTTP and calls the others by handle."""

import os
import signal

import ray
from ray import serve
from ray.serve.schema import LoggingConfig

QUIET = LoggingConfig(enable_access_log=False, log_level='ERROR')


@serve.deployment(max_ongoing_requests=100, ray_actor_options={'num_cpus': 0.1}, logging_config=QUIET)
class Exclaim:
    async def __call__(self, text):
        return text + '!'


@serve.deployment(max_ongoing_requests=100, ray_actor_options={'num_cpus': 0.1}, logging_config=QUIET)
class Upper:
    def __init__(self, *others):
        self.others = others

    async def __call__(self, request):
        text = (await request.json())['text'].upper()
        for other in self.others:
            text = await other.remote(text)
        return {'text': text}


if __name__ == '__main__':
    ray.init(include_dashboard=False, log_to_driver=False, logging_level='ERROR')
    serve.start(http_options={'host': '127.0.0.1', 'port': int(os.environ['PORT'])}, logging_config=QUIET)
    names = [f'exclaim{number}' for number in range(1, int(os.environ['STAGES']))]
    serve.run(Upper.bind(*(Exclaim.options(name=name).bind() for name in names)))
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()
