"""Writes docs/reference: a page for each public module, from its docstrings and signatures.

    python tools/reference.py

The pages depend on nothing but the source: the same source gives the same pages, on every supported Python.
"""

import ast
import importlib
import inspect
import re
import textwrap
import typing
from collections.abc import Iterator
from enum import Enum
from functools import partialmethod
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import msgspec

FOLDER = Path(__file__).parents[1] / 'docs' / 'reference'
INDEX = 'README.md'

# The modules that programs import from; those that are not there yet are left out.
MODULES = (
    'jina',
    'jina.types.document',
    'jina.types.document.generators',
    'jina.types.document.multimodal',
    'jina.types.document.graph',
    'jina.types.arrays',
    'jina.types.arrays.document',
    'jina.types.arrays.chunk',
    'jina.types.arrays.match',
    'jina.types.arrays.memmap',
    'jina.types.request',
    'jina.types.score',
    'jina.types.score.map',
    'jina.types.struct',
    'jina.executors',
    'jina.executors.decorators',
    'jina.clients',
    'jina.clients.request',
    'jina.spec',
    'jina.logging.logger',
    'jina.logging.profile',
    'jina.logging.predefined',
    'jina.excepts',
    'jina.helper',
    'jina.enums',
)

# Of these modules, programs use no more than this.
ONLY = {
    'jina.types.document': ['Document'],
    'jina.executors': ['Executor', 'BaseExecutor'],
    'jina.clients': ['Client', 'GRPCClient', 'HTTPClient', 'WebSocketClient'],
    'jina.clients.request': ['request_generator'],
    'jina.spec': ['FlowSpec', 'ExecutorSpec'],
    'jina.logging.logger': ['JinaLogger'],
    'jina.logging.predefined': ['default_logger'],
}

FIELD = re.compile(r':(?P<kind>param|ivar|raises|return|returns) ?(?P<name>[^:]*): ?(?P<text>.*)')
HEADINGS = {'param': 'Parameters', 'ivar': 'Attributes', 'raises': 'Raises', 'return': 'Returns', 'returns': 'Returns'}


def main() -> None:
    """Write all pages, and remove those of modules that are gone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for old in FOLDER.glob('*.md'):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, 'utf-8')


def pages() -> dict[str, str]:
    """Return the text of each page by the name of its file."""
    modules = [importlib.import_module(name) for name in MODULES if _exists(name)]
    listed = '\n'.join(f'- [{m.__name__}]({m.__name__}.md){_first_line(m)}' for m in modules)
    intro = '# Reference\n\nWritten from the docstrings by `make reference`; change it there.\n\n'
    return {INDEX: f'{intro}{listed}\n'} | {f'{m.__name__}.md': page(m) for m in modules}


def _exists(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # nor is the package that it would be in
        return False


def _first_line(module: ModuleType) -> str:
    line = _inline(inspect.cleandoc(module.__doc__ or '').partition('\n')[0])
    return f': {line}' if line else ''


def page(module: ModuleType) -> str:
    """Return the page of a module: what it is, then each of its public names."""
    parts = [f'# {module.__name__}', markdown(module.__doc__)]
    parts += [part for name in _names(module) for part in _entry(module, name)]
    return '\n\n'.join(filter(None, parts)) + '\n'


def _names(module: ModuleType) -> list[str]:
    """The names that programs use, those in ``__all__``, or else what is defined in the module."""
    named = ONLY.get(module.__name__, getattr(module, '__all__', None))
    if named is not None:
        return [name for name in named if not name.startswith('_') and hasattr(module, name)]
    return [n for n, v in vars(module).items() if not n.startswith('_') and _home(v) == module.__name__]


def _home(value: Any) -> str | None:
    return value.__module__ if isinstance(value, type | FunctionType) else None


def _entry(module: ModuleType, name: str) -> Iterator[str]:
    value = getattr(module, name)
    home = _home(value)
    yield f'## {name}'
    if home in MODULES and home != module.__name__:
        yield f'See [{home}]({home}.md).'
    elif isinstance(value, type) and (value.__name__ != name or not value.__module__.startswith('jina')):
        yield f'Another name of `{value.__name__}`.'
    elif isinstance(value, type):
        yield from _class(value, name, _names(module))
    elif isinstance(value, FunctionType):
        yield f'`{name}{_signature(value)}`'
        yield markdown(value.__doc__)
    else:
        yield f'An instance of `{type(value).__name__}`.'


# Classes


def _class(cls: type, name: str, beside: list[str]) -> Iterator[str]:
    """The entry of a class.

    :param beside: the names that are on the same page.
    """
    constructor = _constructor(cls)
    yield f'`{name}{constructor}`' if constructor else ''
    listed = [base for base in cls.__mro__[1:] if base.__module__ in MODULES or base.__name__ in beside]
    bases = cls.__bases__ if issubclass(cls, Exception) else listed[:1]
    yield f'A subclass of {", ".join(f"`{base.__name__}`" for base in bases)}.' if bases else ''
    yield markdown(cls.__doc__ if '__doc__' in vars(cls) else None)
    yield _options(cls)
    yield '\n'.join(f'- `{member.name}` = {member.value}' for member in cls) if issubclass(cls, Enum) else ''
    members = list(_members(cls, {inherited for base in listed for inherited in base.__mro__}))
    yield _table([(n, _first_paragraph(m)) for n, m in members if not _is_method(m)])
    for inner, member in members:
        if _is_method(member):
            yield from _method(inner, member)


def _constructor(cls: type) -> str:
    """Return the signature of a class; '' where it takes what its base takes."""
    init = vars(cls).get('__init__')
    if isinstance(init, FunctionType):
        return _signature(init, returns=False)
    called = vars(type(cls)).get('__call__')
    if isinstance(called, FunctionType) and called.__module__ == cls.__module__:
        return _signature(called, returns=False)
    if issubclass(cls, msgspec.Struct) and not _described(cls):
        names = [p.name if p.default is p.empty else f'{p.name}=…' for p in inspect.signature(cls).parameters.values()]
        return f'({", ".join(names)})'
    return ''


def _described(cls: type) -> dict[str, str]:
    """Return the help of each field of a spec."""
    if not issubclass(cls, msgspec.Struct):
        return {}
    hints = typing.get_type_hints(cls, include_extras=True)
    metas = {name: getattr(hints[name], '__metadata__', ()) for name in cls.__struct_fields__}
    return {name: str(meta.description) for name, found in metas.items() for meta in found if meta.description}


def _options(cls: type) -> str:
    described = _described(cls)
    if not described:
        return ''
    defaults = {field.name: field for field in msgspec.structs.fields(cls)}
    rows = [(name, _default(defaults[name]), text) for name, text in described.items()]
    lines = [f'| `{name}` | {default} | {_cell(text)} |' for name, default, text in rows]
    return '\n'.join(['| option | default | meaning |', '|---|---|---|', *lines])


def _default(field: Any) -> str:
    if field.default is not msgspec.NODEFAULT:
        return f'`{field.default!r}`'
    return 'required' if field.default_factory is msgspec.NODEFAULT else f'`{field.default_factory()!r}`'


def _members(cls: type, known: set[type]) -> Iterator[tuple[str, Any]]:
    """Public members with a docstring, but for those of other libraries and of bases that have their own entry."""
    seen: set[str] = set()
    for base in cls.__mro__:
        if base in known or not base.__module__.startswith('jina'):
            continue
        for name, member in vars(base).items():
            if not name.startswith('_') and name not in seen and _is_shown(member):
                seen.add(name)
                yield name, member


def _is_shown(member: Any) -> bool:
    documented = member.__doc__ is not None and member.__doc__ != type(member).__doc__
    return isinstance(member, partialmethod) or (documented and (_is_method(member) or hasattr(member, '__get__')))


def _is_method(member: Any) -> bool:
    return isinstance(member, FunctionType | classmethod | staticmethod | partialmethod)


def _method(name: str, member: Any) -> Iterator[str]:
    if isinstance(member, partialmethod):
        given = ', '.join(map(repr, member.args))
        yield f'### {name}'
        yield f'The same as `{member.func.__name__}({given}, …)`.'
        return
    function = getattr(member, '__func__', member)
    yield f'### {name}'
    yield f'`{name}{_signature(function)}`'
    yield markdown(function.__doc__)


def _signature(function: FunctionType, returns: bool = True) -> str:
    """Return the signature as it is written in the source: so it does not depend on the version of Python."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    node = next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    for argument in (n for n in ast.walk(node.args) if isinstance(n, ast.arg)):
        if argument.annotation:
            argument.annotation = _unquoted(argument.annotation)
    returned = f' → {ast.unparse(_unquoted(node.returns))}' if node.returns and returns else ''
    is_method = '.' in function.__qualname__
    return f'({ast.unparse(_without_self(node.args) if is_method else node.args)}){returned}'


def _unquoted(annotation: ast.expr) -> ast.expr:
    """Return an annotation without the quotes around names that are defined later."""
    return ast.Name(ast.unparse(annotation).replace("'", ''))


def _without_self(arguments: ast.arguments) -> ast.arguments:
    first = arguments.posonlyargs or arguments.args
    if first and first[0].arg in ('self', 'cls'):
        del first[0]
    return arguments


# Text


def markdown(docstring: str | None) -> str:
    """Return a docstring as Markdown: its text, then lists of its fields."""
    text, fields = _split(inspect.cleandoc(docstring or ''))
    lists: dict[str, list[str]] = {}
    for field in fields:
        name = f'`{field["name"].strip()}`: ' if field['name'].strip() else ''
        lists.setdefault(HEADINGS[field['kind']], []).append(f'- {name}{_inline(field["text"])}')
    parts = [_blocks(text), *(f'{heading}:\n\n' + '\n'.join(items) for heading, items in lists.items())]
    return '\n\n'.join(filter(None, parts))


def _split(docstring: str) -> tuple[str, list[dict[str, str]]]:
    """Return the text of a docstring and its fields, each on one line; what stands between fields is text."""
    text: list[str] = []
    fields: list[dict[str, str]] = []
    inside = False
    for line in docstring.splitlines():
        found = FIELD.fullmatch(line)
        if found:
            fields.append(found.groupdict())
        elif inside and line.startswith('    '):
            fields[-1]['text'] += f' {line.strip()}'
        else:
            text.append(line)
        inside = bool(found) or (inside and line.startswith('    '))
    return '\n'.join(text).strip(), fields


def _blocks(text: str) -> str:
    """Return paragraphs as they are, and what is indented or a session at a prompt in a block of its own."""
    shown = []
    for paragraph in re.split(r'\n{2,}(?=\S)', text):
        head, *rest = paragraph.split('\n\n', 1)
        if head.startswith('>>>'):
            shown.append(_fenced(head))
        elif head.rstrip(':') or not rest:
            shown.append(_inline(re.sub(r'::$', ':', head)))
        shown += [_fenced(textwrap.dedent(block)) for block in rest]
    return '\n\n'.join(filter(None, shown))


def _fenced(text: str) -> str:
    return f'```\n{text.strip()}\n```'


def _inline(text: str) -> str:
    """Return text without the roles and double backticks of reStructuredText."""
    text = re.sub(r':\w+:`~?(?:[^`]*?\.)?([^`.]+)`', r'`\1`', text)
    return text.replace('``', '`')


def _first_paragraph(member: Any) -> str:
    text, _ = _split(inspect.cleandoc(member.__doc__))
    return _inline(' '.join(text.partition('\n\n')[0].split()))


def _table(rows: list[tuple[str, str]]) -> str:
    lines = [f'| `{name}` | {_cell(text)} |' for name, text in rows]
    return '\n'.join(['| attribute | meaning |', '|---|---|', *lines]) if rows else ''


def _cell(text: str) -> str:
    return text.replace('|', '\\|')


if __name__ == '__main__':
    main()
