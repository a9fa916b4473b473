"""What a Flow says when it is ready: where it is reached, and by whom."""

from collections.abc import Iterable, Sequence

from jina.looks.words import counted

EVERYWHERE = ('0.0.0.0', '::', '')
HERE = ('127.0.0.1', 'localhost', '::1')
NAMES = {'grpc': 'GRPC', 'http': 'HTTP', 'websocket': 'WebSocket'}
SCHEMES = {'http': 'http://', 'websocket': 'ws://'}
LINK, HOUSE, LOCK = '🔗', '🏠', '🔒'
SYMBOLS = LINK + HOUSE + LOCK

Ports = Sequence[tuple[str, int]]


def banner(
    ports: Ports,
    host: str,
    private_address: str | None = None,
    executors: int = 0,
    replicas: int = 0,
    docs: Sequence[str] = ('/docs', '/redoc'),
    symbols: bool = True,
) -> str:
    """Return some lines, aligned.

    :param ports: each protocol (``grpc``, ``http``, ``websocket``) and its port.
    :param host: the address the Flow listens at.
    :param private_address: this machine's address in its own network, where it is known.
    :param executors: how many Executors there are.
    :param replicas: how many there are of all of them together.
    :param docs: paths at which the HTTP interface is documented.
    :param symbols: whether the reader can see :data:`SYMBOLS`.
    """
    rows = [(LINK, NAMES[p], _url(p, _reached(host), port), _docs(docs) if p == 'http' else '') for p, port in ports]
    rows += _network(ports, host, private_address)
    return '\n'.join([f'Flow is ready: {_size(executors, replicas)}', *_aligned(rows, symbols)])


def _size(executors: int, replicas: int) -> str:
    more = f', {replicas:,} replicas' if replicas > executors else ''
    return f'{counted(executors, "Executor")}{more}' if executors else 'no Executors'


def _url(protocol: str, host: str, port: int) -> str:
    return f'{SCHEMES.get(protocol, "")}{f"[{host}]" if ":" in host else host}:{port}'


def _reached(host: str) -> str:
    return 'localhost' if host in (*EVERYWHERE, *HERE) else host


def _docs(paths: Sequence[str]) -> str:
    return f'docs at {" and ".join(paths)}' if paths else ''


def _network(ports: Ports, host: str, address: str | None) -> Iterable[tuple[str, str, str, str]]:
    """The row about other machines, where there is something to say."""
    if host in HERE:
        yield LOCK, 'network', "closed; Flow(host='0.0.0.0') opens it", ''
    elif host in EVERYWHERE and address:
        yield HOUSE, 'network', ', '.join(_url(protocol, address, port) for protocol, port in ports), ''


def _aligned(rows: list[tuple[str, str, str, str]], symbols: bool) -> Iterable[str]:
    name_width = max(len(name) for _, name, _, _ in rows)
    url_width = max((len(where) for symbol, _, where, _ in rows if symbol == LINK), default=0)
    for symbol, name, where, note in rows:
        sign = f'{symbol} ' if symbols else ''
        yield f'  {sign}{name:<{name_width}}  {where:<{url_width}}   {note}'.rstrip()
