"""Ray Serve from Python: a deployment, asked by its handle."""

import ray
from ray import serve
from ray.serve.schema import LoggingConfig
from tasks import arrays
from tasks import serve as serve_tasks

QUIET = LoggingConfig(enable_access_log=False, log_level='ERROR')


@serve.deployment(max_ongoing_requests=100, ray_actor_options={'num_cpus': 0.1}, logging_config=QUIET)
class PlusOne:
    async def __call__(self, array):
        return array + 1


def main():
    ray.init(include_dashboard=False, log_to_driver=False, logging_level='ERROR')
    serve.start(proxy_location='Disabled', logging_config=QUIET)
    handle = serve.run(PlusOne.bind())
    serve_tasks(arrays(lambda: lambda array: handle.remote(array).result()))
    serve.shutdown()
    ray.shutdown()


if __name__ == '__main__':
    main()
