"""YAML ↔ specs, and what stands for what in them. The only file that imports yaml."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jina.excepts import BadConfig, BadFlowYAMLVersion, BadOption
from jina.spec import ExecutorSpec, FlowSpec, did_you_mean

if TYPE_CHECKING:
    from yaml import MappingNode, Node

YAML_ENDINGS = ('.yml', '.yaml')
LISTS = ('executors', 'pods')
FLOW_KEYS = ('jtype', 'version', 'with', *LISTS)
FLOW_VERSIONS = ('1', '1.0')
USES = ('uses', 'uses_before', 'uses_after')
JOINS = ('needs', 'join', 'needs_all')
METHODS = ('add', 'inspect', *JOINS)

_VARIABLE = re.compile(r'\$\{\{\s*ENV\.(\w+)\s*\}\}|\$\{(\w+)\}|\$(\w+)')
_SCHEME = re.compile(r'[\w+.-]+://')
_CLASS_NAME = re.compile(r'[^\W\d]\w*(\.[^\W\d]\w*)*')


class ExecutorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An Executor as its YAML describes it.

    :ivar jtype: the name of its class.
    :ivar with_: arguments of its ``__init__``.
    :ivar metas: ``name``, ``description``, ``workspace``, …
    :ivar requests: endpoint → method name.
    :ivar py_modules: Python files, absolute, or modules that define the class.
    """

    jtype: str
    with_: dict[str, Any] = msgspec.field(default_factory=dict, name='with')
    metas: dict[str, Any] = {}
    requests: dict[str, str] = {}
    py_modules: list[str] = []


def read_uses(uses: Any, folder: str | Path = '.') -> ExecutorConfig:
    """Read what ``uses=`` may be, classes aside: a YAML file, by its path or open, YAML text, the name of a class, or a
    dict.

    :param folder: where relative paths begin.
    :raises BadConfig: if it is none of these, names no file, or has a key or value that does not belong there.
    """
    if isinstance(uses, Mapping):
        return _executor_config(uses, Path(folder), f'uses={uses!r}')
    text, folder, where = _text(uses, Path(folder), 'the YAML text of uses')
    if not isinstance(text, str):
        raise BadConfig(f'uses={uses!r}: it takes an Executor class, its name, a YAML file, YAML text or a dict')
    if isinstance(uses, str) and _SCHEME.match(uses):
        raise BadConfig(f'uses={uses!r}: this version runs no containers; it takes a class, its name or YAML')
    if _CLASS_NAME.fullmatch(text):
        return ExecutorConfig(text)
    return _executor_config(expand(parse_yaml(text, where, described=True)), folder, where)


def _text(source: Any, folder: Path, unnamed: str) -> tuple[Any, Path, str]:
    """The text of a file, by its path or open; anything else as it is. Also where its relative paths begin, and what
    to call it in messages.
    """
    if hasattr(source, 'read'):
        text, name = source.read(), getattr(source, 'name', None)
        text = text.decode() if isinstance(text, bytes) else text
        return (text, Path(name).parent, name) if isinstance(name, str) else (text, folder, unnamed)
    if isinstance(source, Path) or (isinstance(source, str) and source.endswith(YAML_ENDINGS)):
        path = _existing(folder / source)
        return _content(path), path.parent, str(path)
    return source, folder, unnamed


def _content(path: Path) -> str:
    try:
        return path.read_text('utf-8')
    except UnicodeDecodeError as error:
        raise BadConfig(f'{path} is not text in UTF-8: {error}') from error


def _executor_config(source: Any, folder: Path, where: str) -> ExecutorConfig:
    if not isinstance(source, Mapping) or 'jtype' not in source:
        raise BadConfig(f'{where}: an Executor is described by a mapping with the key `jtype`, the name of its class')
    _check_keys(source, [f.encode_name for f in msgspec.structs.fields(ExecutorConfig)], where)
    fields: dict[str, Any] = {k: v for k, v in source.items() if v is not None}
    metas = {k: v for k, v in dict(fields.get('metas') or {}).items() if v is not None}
    modules = _as_list(fields.get('py_modules')) + _as_list(metas.pop('py_modules', None))
    fields |= {'metas': metas, 'py_modules': [_absolute(m, folder) for m in modules]}
    try:
        return msgspec.convert(fields, ExecutorConfig)
    except msgspec.ValidationError as error:
        raise BadConfig(f'{where}: {error}') from None


def _check_keys(source: Mapping[Any, Any], known: Any, where: str) -> None:
    for key in source:
        if key not in known:
            raise BadConfig(f'{where}: there is no key {key!r} here{did_you_mean(key, known)}')


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value] if value else []


def _absolute(module: str, folder: Path) -> str:
    return str((folder / module).resolve()) if str(module).endswith('.py') else module


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise BadConfig(f'there is no file {path} (in {path.parent.resolve()})')
    return path


def read_mapping(path: str, described: bool = False) -> dict[str, Any]:
    """The mapping that a YAML or JSON file holds.

    :param described: see :func:`parse_yaml`.
    :raises BadConfig: if there is no such file, or it holds something else.
    """
    content = parse_yaml(_content(_existing(Path(path))), path, described)
    if not isinstance(content, dict):
        raise BadConfig(f'{path}: it takes a mapping of options, not {type(content).__name__}')
    return content


def log_config(flow: FlowSpec, folder: Path) -> dict[str, Any]:
    """What the file that ``log_config`` names holds; nothing if it names none.

    :raises BadConfig: if there is no such file, or it holds something else than a mapping.
    """
    return read_mapping(str(folder / flow.log_config)) if flow.log_config else {}


def parse_yaml(text: str, where: str, described: bool = False) -> Any:
    """Read YAML with the safe loader.

    :param described: it describes a Flow or an Executor, whose class a tag may name: ``!X`` is ``jtype: X``.
    :raises BadConfig: naming the line, if it is none, has a key twice, or a tag anywhere else.
    """
    import yaml  # here and below: a worker reads none, nor does a Flow that is not made of YAML

    loader = _loader(where)(text)
    try:
        root = loader.get_single_node()
        return None if root is None else loader.construct_document(_untagged(root) if described else root)
    except yaml.YAMLError as error:
        raise BadConfig(f'{where} is not YAML: {error}') from error
    finally:
        loader.dispose()


def _loader(where: str) -> Any:
    """The safe loader, which refuses tags and keys that are there twice."""
    import yaml

    class Loader(yaml.SafeLoader):
        def refuse(self, node: 'Node') -> None:
            tag = node.tag.replace('tag:yaml.org,2002:', '!!')
            raise BadConfig(
                f'{where}, line {node.start_mark.line + 1}: the tag {tag!r} means nothing here; one may stand '
                'before the mapping of a Flow or of an Executor, and names its class'
            )

        def construct_mapping(self, node: 'MappingNode', deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
                if (key.tag, key.value) in seen:
                    raise BadConfig(f'{where}, line {key.start_mark.line + 1}: {key.value!r} is there twice')
                seen.add((key.tag, key.value))
            return super().construct_mapping(node, deep)

    Loader.add_constructor(None, Loader.refuse)
    return Loader


def _untagged(root: 'Node') -> 'Node':
    """The same with ``jtype`` in place of tags: its own, and those of ``uses`` of the Executors that it lists."""
    from yaml import MappingNode, SequenceNode

    root = _named(root)
    for key, listed in root.value if isinstance(root, MappingNode) else ():
        if key.value in LISTS and isinstance(listed, SequenceNode):
            for entry in listed.value:
                if isinstance(entry, MappingNode):
                    entry.value = [(k, _named(v) if k.value in USES else v) for k, v in entry.value]
    return root


def _named(node: 'Node') -> 'Node':
    """A mapping with a tag, or a tag and nothing else, as a mapping with ``jtype``."""
    from yaml import MappingNode, ScalarNode

    name = node.tag[1:]
    is_mapping = isinstance(node, MappingNode)
    if not name or not node.tag.startswith('!') or not (is_mapping or node.value == ''):
        return node
    pairs = node.value if is_mapping else []
    if not any(key.value == 'jtype' for key, _ in pairs):
        pairs = [tuple(ScalarNode('tag:yaml.org,2002:str', text) for text in ('jtype', name)), *pairs]
    return MappingNode('tag:yaml.org,2002:map', pairs, node.start_mark, node.end_mark)


def expand(value: Any) -> Any:
    """Replace ``${{ ENV.X }}``, ``${X}`` and ``$X`` in strings, at any depth; a variable that is not set stays.

    A string that is one variable and nothing else becomes what its value would be in YAML: a number, say.

    :raises BadConfig: if an alias stands inside of what it names.
    """
    try:
        return _expanded(value)
    except RecursionError:
        raise BadConfig('the YAML has an alias (*name) inside of what it is another name of (&name)') from None


def _expanded(value: Any) -> Any:
    if isinstance(value, str):
        if found := _VARIABLE.fullmatch(value):
            return _scalar(os.environ.get(next(filter(None, found.groups())), value))
        return _VARIABLE.sub(lambda m: os.environ.get(next(filter(None, m.groups())), m[0]), value)
    if isinstance(value, dict):
        return {k: _expanded(v) for k, v in value.items()}
    return [_expanded(v) for v in value] if isinstance(value, list) else value


def _scalar(text: str) -> Any:
    """A number or a truth value where the text is one in YAML, else the text."""
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, int | float) else text


def resolve(spec: ExecutorSpec, folder: str | Path = '.') -> ExecutorSpec:
    """The same spec with its ``uses`` read, paths made absolute, and everything merged into ``uses``.

    What comes out can be sent to another process of this host.

    :raises BadConfig: if ``uses`` cannot be read.
    """
    config = read_uses(spec.uses, folder)
    uses = {
        'jtype': config.jtype,
        'with': {**config.with_, **spec.uses_with},
        'metas': {**config.metas, **spec.uses_metas},
        'requests': {**config.requests, **spec.uses_requests},
        'py_modules': config.py_modules + [_absolute(m, Path(folder)) for m in spec.modules],
    }
    cleared: dict[str, Any] = {'uses_with': {}, 'uses_metas': {}, 'uses_requests': {}, 'py_modules': []}
    return msgspec.structs.replace(spec, uses=uses, **cleared)


def read_flow(source: Any) -> tuple[FlowSpec, Path]:
    """Read a Flow from a YAML file, by its path or open, YAML text, or a dict.

    :return: the spec, whose Executors all have names, and the folder where its relative paths begin.
    :raises BadConfig: if it is none of these or has a key or value that does not belong there.
    :raises BadFlowYAMLVersion: for a ``version`` other than 1.
    """
    text, folder, where = _text(source, Path(), 'the YAML text of the Flow')
    content = parse_yaml(text, where, described=True) if isinstance(text, str) else text
    if not isinstance(content, Mapping) or content.get('jtype') != 'Flow':
        raise BadConfig(f'{where}: a Flow is described by a mapping with `jtype: Flow`')
    _check_keys(content, FLOW_KEYS, where)
    if str(content.get('version', '1')) not in FLOW_VERSIONS:
        raise BadFlowYAMLVersion(f'{where}: version {content["version"]!r} is not known; leave it out or write 1')
    options = content.get('with') or {}
    executors = [entry for key in LISTS for entry in _listed(content, key, where)]
    if not isinstance(options, Mapping):
        raise BadConfig(f'{where}: `with` is a mapping of options, not {options!r}')
    return _flow_spec(expand(dict(options)), expand(executors), where), folder


def _listed(content: Mapping[str, Any], key: str, where: str) -> list[Any]:
    """The list of mappings under a key."""
    items = content.get(key) or []
    if not isinstance(items, list):
        raise BadConfig(f'{where}: `{key}` is a list of mappings, each the options of an Executor, not {items!r}')
    for i, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise BadConfig(f'{where}: `{key}`: Executor {i} is described by a mapping of its options, not by {item!r}')
    return items


def _flow_spec(options: dict[str, Any], executors: list[Any], where: str) -> FlowSpec:
    try:
        flow = FlowSpec.from_dict(options, 'with: of the Flow')
        for i, entry in enumerate(executors):
            executor = _executor_spec(entry, flow, f'Executor {i} of the Flow')
            flow = msgspec.structs.replace(flow, executors=[*flow.executors, executor])
        return flow
    except (BadOption, TypeError, ValueError) as error:
        raise BadConfig(f'{where}: {error}') from error


def _executor_spec(entry: Mapping[str, Any], flow: FlowSpec, who: str) -> ExecutorSpec:
    """What an entry means, after those that the Flow has already: the method of a Flow to call, and its options."""
    options = dict(entry)
    method = options.pop('method', 'add')
    if method not in METHODS:
        raise BadOption(f'{who}: there is no method {method!r} that adds an Executor{did_you_mean(method, METHODS)}')
    if method in JOINS:
        options = {'name': 'joiner', **options}
        if ('needs' in options) == (method == 'needs_all'):
            raise BadOption(f'{who}: `needs` goes with `method: needs`, and not with `method: needs_all`')
    if method == 'needs_all':
        options['needs'] = flow.loose or ['gateway']
    if method == 'inspect':
        options['inspect'] = True
    spec = ExecutorSpec.from_dict(options, who)
    name = spec.name or flow.free_name('inspect' if spec.inspect else 'pod')
    return msgspec.structs.replace(spec, name=name)


def to_yaml(spec: FlowSpec) -> str:
    """A Flow as YAML text that :func:`read_flow` reads."""
    options = spec.to_dict()
    executors = options.pop('executors', [])
    return _dump({'jtype': 'Flow', 'version': '1', 'with': options, 'executors': executors})


def _dump(content: Mapping[str, Any]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Escapes U+0085, which PyYAML writes as it is within single quotes and then reads as a space."""

        def represent_str(self, data: str) -> yaml.ScalarNode:
            return self.represent_scalar('tag:yaml.org,2002:str', data, style='"' if '\x85' in data else None)

    Dumper.add_representer(str, Dumper.represent_str)
    return yaml.dump({k: v for k, v in content.items() if v}, Dumper=Dumper, sort_keys=False, allow_unicode=True)


def save_executor(config: ExecutorConfig, path: Path) -> None:
    """Write an Executor as a YAML file that :func:`read_uses` reads; its own files are named from where that is.

    :raises BadConfig: naming a value that YAML cannot express.
    """
    folder = path.resolve().parent
    content = {f.encode_name: getattr(config, f.name) for f in msgspec.structs.fields(config)}
    for section in ('with', 'metas', 'requests'):
        for name, value in content[section].items():
            _check_expressible(value, f'{config.jtype}: {name} of {section!r}')
    path.write_text(
        _dump({**content, 'py_modules': [_relative(module, folder) for module in config.py_modules]}), 'utf-8'
    )


def _check_expressible(value: Any, what: str) -> None:
    import yaml

    try:
        yaml.safe_dump(value)
    except yaml.YAMLError as error:
        raise BadConfig(
            f'{what} cannot be written as YAML: it takes text, numbers, lists and dicts, not {value!r}'
        ) from error


def _relative(module: str, folder: Path) -> str:
    path = Path(module)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else module
