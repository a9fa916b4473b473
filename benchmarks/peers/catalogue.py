"""The peers: how each is started, how it is asked, where its answer is, and what it cannot do."""

import base64
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.environments import ENVIRONMENTS, clean_environment, version_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OURS = 'ours'

Read = Callable[[Any], Any]


@dataclass(frozen=True)
class Service:
    """A program that answers HTTP.

    :param command: ``{bin}`` is the folder of the environment's programs, ``{port}`` the port.
    :param ask: makes the JSON of a request of the text.
    :param read: what the JSON of an answer holds: the text, or the embedding.
    """

    command: str
    path: str
    ask: Callable[[str], Any]
    read: Read
    variables: dict[str, str] = field(default_factory=dict)

    def body(self, text: str) -> bytes:
        """The body of a request."""
        return json.dumps(self.ask(text)).encode()


@dataclass(frozen=True)
class Peer:
    """A system that is measured.

    :param title: the head of its column.
    :param environment: where its packages are; ``''``: the environment of the benchmark itself.
    :param package: the distribution whose version is shown.
    :param upper: by number of stages, the service that makes a text upper case.
    :param encode: by batch size (1 or 32), the service of the model.
    :param client: whether ``client.py`` in its folder asks it from Python.
    :param many: how many Documents it gets where others get a million.
    :param arrays: what serves ``arrays.py`` in its folder, which asks it for arrays by its own client; ``''``: that
        program serves itself; ``None``: there is none.
    :param cannot: why it cannot do what is missing, by job: http/3, client, arrays, model, batched.
    """

    name: str
    title: str
    environment: str
    package: str
    folder: str
    upper: dict[int, Service]
    encode: dict[int, Service] = field(default_factory=dict)
    client: bool = False
    many: int = 0
    arrays: str | None = None
    cannot: dict[str, str] = field(default_factory=dict)

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return ENVIRONMENTS[self.environment].python if self.environment else Path(sys.executable)

    @property
    def version(self) -> str:
        """The version of its package that is installed."""
        return version_of(self.python, self.package)

    @property
    def directory(self) -> Path:
        """Where its programs are."""
        return HERE / self.folder

    def command(self, line: str, port: int) -> list[str]:
        """The arguments of the command by which a service is started."""
        return [part.format(bin=self.python.parent, port=port) for part in line.split()]

    def variables(self, **more: str) -> dict[str, str]:
        """The environment variables of its processes."""
        environment = clean_environment() | {'JINA_LOG_LEVEL': 'ERROR', 'JINA_OPTOUT_TELEMETRY': '1'} | more
        environment['PATH'] = f'{self.python.parent}{os.pathsep}{environment["PATH"]}'
        environment['PYTHONPATH'] = str(HERE / 'shared')
        if not self.environment:
            environment['PYTHONPATH'] += f'{os.pathsep}{ROOT}'
        return environment


def plain(text: str) -> Any:
    """What those ask for that leave the JSON to their user."""
    return {'text': text}


def kserve(text: str) -> Any:
    """KServe's form: named tensors."""
    return {'inputs': [{'name': 'text', 'shape': [1, 1], 'datatype': 'BYTES', 'data': [text]}]}


def documents(text: str) -> Any:
    """jina's form."""
    return {'data': [{'text': text}]}


def to_any_endpoint(text: str) -> Any:
    """jina's form for /post."""
    return {**documents(text), 'execEndpoint': '/upper'}


def the_text(answer: Any) -> Any:
    return answer['text']


def the_embedding(answer: Any) -> Any:
    return answer['embedding']


def the_encoded(answer: Any) -> Any:
    """An array in our JSON: base64 of its bytes."""
    array = answer['data']['docs'][0]['embedding']['dense']
    return np.frombuffer(base64.b64decode(array['buffer']), array['dtype']).tolist()


def the_tensor(answer: Any) -> Any:
    return answer['outputs'][0]['data']


def _same(service: Callable[[int], Service], *numbers: int) -> dict[int, Service]:
    return {number: service(number) for number in numbers}


NO_CHAIN = 'no chain of stages'
NO_MODEL = 'the model needs Python ≥ 3.9'
LIMIT = {'http/3': 'has no stages', 'client': 'HTTP only'} | dict.fromkeys(('arrays', 'model', 'batched'), 'not asked')
HTTP_ONLY = {'client': 'no client for streams of documents'}
RAY_QUIET = {'RAY_USAGE_STATS_ENABLED': '0', 'RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO': '0'}
RAY_BEST = {'RAY_SERVE_THROUGHPUT_OPTIMIZED': '1', 'RAY_SERVE_ENABLE_HA_PROXY': '1'}

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            OURS,
            'ours',
            '',
            'jina',
            'ours',
            _same(
                lambda n: Service(
                    '{bin}/python upper.py', '/post', to_any_endpoint, lambda a: a['data']['docs'][0]['text']
                ),
                1,
                3,
            ),
            _same(
                lambda n: Service('{bin}/python encode.py', '/search', documents, the_encoded),
                1,
                32,
            ),
            client=True,
            many=1_000_000,
        ),
        Peer(
            'jina2',
            'jina 2',
            'jina2',
            'jina',
            'jina2',
            _same(
                lambda n: Service(
                    '{bin}/python upper.py', '/post', to_any_endpoint, lambda a: a['data']['docs'][0]['text']
                ),
                1,
                3,
            ),
            client=True,
            many=100_000,
            cannot={'model': NO_MODEL, 'batched': NO_MODEL},
        ),
        Peer(
            'jina3',
            'jina 3',
            'jina3',
            'jina',
            'jina3',
            _same(
                lambda n: Service('{bin}/python upper.py', '/upper', documents, lambda a: a['data'][0]['text']), 1, 3
            ),
            _same(
                lambda n: Service('{bin}/python encode.py', '/encode', documents, lambda a: a['data'][0]['embedding']),
                1,
                32,
            ),
            client=True,
            many=20_000,
        ),
        Peer(
            'mosec',
            'mosec',
            'mosec',
            'mosec',
            'mosec',
            _same(
                lambda n: Service(
                    '{bin}/python upper.py --address 127.0.0.1 --port {port} --log-level warning',
                    '/inference',
                    plain,
                    the_text,
                ),
                1,
                3,
            ),
            _same(
                lambda n: Service(
                    '{bin}/python encode.py --address 127.0.0.1 --port {port} --log-level warning',
                    '/inference',
                    plain,
                    the_embedding,
                ),
                1,
                32,
            ),
            arrays='{bin}/python plus_one.py --address 127.0.0.1 --port {port} --log-level warning',
            cannot=HTTP_ONLY,
        ),
        Peer(
            'ray',
            'Ray Serve',
            'ray',
            'ray',
            'ray',
            _same(lambda n: Service('{bin}/python upper.py', '/', plain, the_text, RAY_QUIET | RAY_BEST), 1, 3),
            _same(lambda n: Service('{bin}/python encode.py', '/', plain, the_embedding, RAY_QUIET | RAY_BEST), 1, 32),
            arrays='',
            cannot=HTTP_ONLY,
        ),
        Peer(
            'ray-default',
            'Ray Serve, default',
            'ray',
            'ray',
            'ray',
            {1: Service('{bin}/python upper.py', '/', plain, the_text, RAY_QUIET)},
            cannot=HTTP_ONLY | dict.fromkeys(('http/3', 'arrays', 'model', 'batched'), 'see Ray Serve'),
        ),
        Peer(
            'pytriton',
            'pytriton',
            'pytriton',
            'nvidia-pytriton',
            'pytriton',
            {1: Service('{bin}/python upper.py', '/v2/models/upper/infer', kserve, lambda a: the_tensor(a)[0])},
            _same(lambda n: Service('{bin}/python encode.py', '/v2/models/encode/infer', kserve, the_tensor), 1, 32),
            arrays='{bin}/python plus_one.py',
            cannot=HTTP_ONLY | {'http/3': NO_CHAIN},
        ),
        Peer(
            'litserve',
            'LitServe',
            'litserve',
            'litserve',
            'litserve',
            {1: Service('{bin}/python upper.py', '/predict', plain, the_text)},
            _same(lambda n: Service('{bin}/python encode.py', '/predict', plain, the_embedding), 1, 32),
            cannot=HTTP_ONLY | {'http/3': NO_CHAIN, 'arrays': 'no form for arrays'},
        ),
        Peer(
            'bentoml',
            'BentoML',
            'bentoml',
            'bentoml',
            'bentoml',
            {
                1: Service('{bin}/bentoml serve upper:Upper --port {port}', '/upper', plain, the_text),
                3: Service('{bin}/bentoml serve upper:UpperOfThree --port {port}', '/upper', plain, the_text),
            },
            {
                1: Service('{bin}/bentoml serve encode:Encoder --port {port}', '/encode', plain, the_embedding),
                32: Service(
                    '{bin}/bentoml serve encode:Encoder --port {port}',
                    '/encode',
                    lambda text: {'text': [text]},
                    lambda answer: answer[0],
                ),
            },
            arrays='{bin}/bentoml serve plus_one:PlusOne --port {port}',
            cannot=HTTP_ONLY,
        ),
        Peer(
            'uvicorn',
            'bare uvicorn (limit)',
            'limit',
            'uvicorn',
            'limit',
            {
                1: Service(
                    '{bin}/uvicorn upper:app --port {port} --loop uvloop --http httptools --no-access-log '
                    '--log-level warning --lifespan off',
                    '/',
                    plain,
                    the_text,
                )
            },
            cannot=LIMIT,
        ),
        Peer(
            'granian',
            'granian (limit)',
            'limit',
            'granian',
            'limit',
            {
                1: Service(
                    '{bin}/granian --interface rsgi --port {port} --workers 1 --loop uvloop --no-access-log '
                    '--log-level warning upper_rsgi:app',
                    '/',
                    plain,
                    the_text,
                )
            },
            cannot=LIMIT,
        ),
    )
}
