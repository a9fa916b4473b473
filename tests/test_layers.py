"""The import layering: who may know whom. `docs/design.md` shows the same rules, and is held to them here."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

REPO = Path(__file__).parents[1]
PACKAGE = REPO / 'jina'
DESIGN = REPO / 'docs' / 'design.md'

# Imports go down only: a room may import those of the lines above its own, and no other room of its own line.
LAYERS = (
    ('excepts', 'forks', 'logging', 'enums', 'helper'),
    ('looks', 'proto', 'pickling'),
    ('types', 'spec'),
    ('graph', 'wire', 'config', 'control'),
    ('executors', 'transport'),
    ('worker', 'gateway', 'clients'),
    ('launch', 'topology'),
    ('supervisor',),
    ('running',),
    ('flow',),
    ('hello',),
    ('cli',),
    ('__main__',),
)

# What a room may not import although it lies below, neither at the top of a module nor inside a function.
FORBIDDEN = {
    'jina.gateway': (
        *('jina.executors', 'jina.types.arrays', 'jina.types.document', 'jina.types.native'),
        *('jina.wire.codecs', 'jina.config', 'numpy'),
    ),
    'jina.worker': ('jina.graph',),
    'jina.wire': ('asyncio', 'socket', 'select', 'selectors', 'ssl', 'subprocess', 'threading'),
    'jina.clients': ('jina.executors', 'jina.graph', 'jina.config'),
    'jina.transport': ('jina.types.arrays', 'jina.types.document', 'jina.wire.codecs'),
    'jina.launch': ('jina.executors', 'jina.worker', 'jina.gateway', 'jina.graph'),
}

# Where an implementation is chosen by what the caller asks for, a function imports the one it needs.
CHOSEN_LATE = {
    ('jina.launch.child', 'jina.gateway'): 'a child is one of the two, and must not load the other',
    ('jina.launch.child', 'jina.worker'): 'likewise',
}

# Every third-party library is imported in the files named here and in no other. These two are everywhere:
EVERYWHERE = {'msgspec', 'numpy'}
LIBRARIES = {
    'cloudpickle': {'pickling.py'},
    'fastapi': {'gateway/extension.py'},
    'google.protobuf': {
        *('proto/jina_pb2.py', 'proto/services.py', 'types/protobuf.py', 'types/protostruct.py', 'wire/rpc.py'),
    },
    'grpc': {
        *('clients/grpc/__init__.py', 'clients/grpc/stream.py'),
        *('gateway/grpc/__init__.py', 'gateway/grpc/messages.py'),
        *('gateway/grpc/health.py', 'gateway/grpc/reflection.py'),
    },
    'pickle': {'pickling.py'},  # not a library, but no less to be kept in sight
    'PIL': {'looks/thumbnail.py', 'types/document/image.py'},
    'dgl': {'types/document/graph.py'},
    'httptools': {'clients/http1.py', 'gateway/shortway.py'},
    'matplotlib': {'looks/figures.py'},
    'regex': {'gateway/targets.py'},
    'rich': {'hello/search/app.py', 'looks/live.py', 'looks/terminal.py'},
    'scipy': {'types/sparse.py'},
    'shtab': {'cli/completion.py'},
    'sklearn': {'looks/projection.py'},
    'starlette': {'gateway/apidocs.py', 'gateway/extension.py', 'gateway/pages.py'},
    'uvicorn': {'gateway/shortway.py', 'gateway/web.py'},
    'uvloop': {'transport/loop.py'},
    'websockets': {'clients/ws1.py'},
    'wordllama': {'hello/search/executors.py'},
    'yaml': {'config.py'},
}


class Import(NamedTuple):
    """One imported module.

    :ivar late: it is imported when a function is called, not when the module is.
    """

    source: str
    target: str
    line: int
    late: bool

    def __str__(self) -> str:
        return f'{_path(self.source).relative_to(REPO)}:{self.line} imports {self.target}'


def _name(path: Path) -> str:
    parts = path.relative_to(REPO).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


@cache
def _modules() -> dict[str, Path]:
    return {_name(path): path for path in sorted(PACKAGE.rglob('*.py'))}


def _path(module: str) -> Path:
    return _modules()[module]


@cache
def _imports() -> tuple[Import, ...]:
    trees = ((name, ast.parse(path.read_text('utf-8'))) for name, path in _modules().items())
    return tuple(found for name, tree in trees for found in _found(name, tree, late=False))


def _found(source: str, node: ast.AST, late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == 'TYPE_CHECKING':
            yield from (i for other in child.orelse for i in _found(source, other, late))
        elif isinstance(child, ast.Import | ast.ImportFrom):
            yield from (Import(source, target, child.lineno, late) for target in _targets(source, child))
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _found(source, child, late or inside)


def _targets(source: str, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The modules that an import statement names: ``from a import b`` names ``a.b`` where that is a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    assert node.level == 0, f'{source}: a relative import'
    for alias in node.names:
        inner = f'{node.module}.{alias.name}'
        yield inner if inner in _modules() else str(node.module)


def _room(module: str) -> str:
    return module.split('.')[1] if '.' in module else module


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f'{package}.')


def _rank(room: str) -> int:
    return next(i for i, rooms in enumerate(LAYERS) if room in rooms)


def _rooms() -> set[str]:
    return {_room(name) for name in _modules()} - {'jina'}


def test_every_room_has_its_place():
    placed = [room for rooms in LAYERS for room in rooms]
    assert sorted(placed) == sorted(_rooms()), 'say in LAYERS, and in docs/design.md, where a new room belongs'


def test_imports_go_down_only():
    wrong = [
        str(i)
        for i in _imports()
        if i.target.startswith('jina.')
        and _room(i.source) not in ('jina', _room(i.target))
        and _rank(_room(i.target)) >= _rank(_room(i.source))
    ]
    assert not wrong


def test_the_package_itself_imports_nothing():
    assert {i.target for i in _imports() if i.source == 'jina' and not i.late} == {'typing'}


@pytest.mark.parametrize('package', FORBIDDEN)
def test_a_room_does_not_know(package):
    wrong = [
        str(i)
        for i in _imports()
        if _within(i.source, package)
        and any(_within(i.target, forbidden) for forbidden in FORBIDDEN[package])
        and not (i.late and (i.source, i.target) in CHOSEN_LATE)
    ]
    assert not wrong


def test_what_is_chosen_late_is_still_needed():
    late = {(i.source, i.target) for i in _imports() if i.late}
    assert set(CHOSEN_LATE) <= late


def _loaded_with(module: str) -> set[str]:
    """All that is imported, directly or not, when a module is: packages around it included."""
    seen: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [parent for parent in _parents(name) if parent in _modules()]
            todo += [i.target for i in _imports() if i.source == name and not i.late]
    return seen


def _parents(name: str) -> list[str]:
    parts = name.split('.')
    return ['.'.join(parts[:n]) for n in range(1, len(parts))]


@pytest.mark.parametrize('module', ['jina.gateway', 'jina.gateway.http', 'jina.gateway.grpc', 'jina.gateway.websocket'])
def test_a_gateway_loads_nothing_that_decodes_documents(module):
    decoders = ('jina.types.document', 'jina.types.arrays', 'jina.types.native', 'jina.executors', 'jina.worker')
    codecs = ('jina.wire.codecs.json', 'jina.types.protobuf')
    assert not _loaded_with(module) & {*decoders, *codecs}


@pytest.mark.parametrize('module', ['jina.gateway', 'jina.gateway.http', 'jina.gateway.grpc'])
def test_a_gateway_loads_no_numpy(module):
    assert 'numpy' not in _loaded_with(module)


def test_the_protocol_loads_no_io():
    loaded = {name for module in _modules() if _within(module, 'jina.wire') for name in _loaded_with(module)}
    assert not loaded & set(FORBIDDEN['jina.wire'])


def test_demos_are_written_against_the_public_names():
    wrong = [
        str(i)
        for i in _imports()
        if _room(i.source) == 'hello'
        and _within(i.target, 'jina')
        and i.target != 'jina'
        and not _within(i.target, '.'.join(i.source.split('.')[:3]))
    ]
    assert not wrong


@pytest.mark.parametrize('library', LIBRARIES)
def test_a_library_is_imported_only_where_it_is_used(library):
    files = {str(_path(i.source).relative_to(PACKAGE)) for i in _imports() if _within(i.target, library)}
    assert files == LIBRARIES[library]


def test_no_other_library_is_imported():
    known = {*sys.stdlib_module_names, *EVERYWHERE, 'jina'}
    named = [i for i in _imports() if i.target.split('.')[0] not in known]
    assert not [str(i) for i in named if not any(_within(i.target, library) for library in LIBRARIES)]


def test_no_cycle():
    needs = {name: {i.target for i in _imports() if i.source == name and not i.late} for name in _modules()}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        pytest.fail(f'modules import each other in a circle: {" → ".join(error.args[1])}')


def test_the_design_shows_these_layers():
    shown = '\n'.join(', '.join(rooms) for rooms in LAYERS)
    assert shown in DESIGN.read_text('utf-8')


def test_the_design_shows_these_rooms():
    text = DESIGN.read_text('utf-8')
    listed = text[text.index('    jina/\n') :].split('\n\n')[0].splitlines()[1:]
    names = {line.split()[0].removesuffix('/').removesuffix('.py') for line in listed if line[6:7] != ' '}
    assert names == _rooms() | {'__init__'}
