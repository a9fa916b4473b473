"""The corpus: every public function, class and method of Python's standard library that has a docstring."""

import builtins
import contextlib
import hashlib
import importlib
import inspect
import io
import pkgutil
import platform
import sys
import warnings
from collections.abc import Iterator
from operator import itemgetter
from types import ModuleType

from jina import Document

SKIPPED = {
    # These do something when imported: print, open a browser, take over the terminal.
    *('__main__', 'antigravity', 'idlelib', 'readline', 'rlcompleter', 'this', 'turtledemo'),
    # These are not on every machine, or not the same on every machine.
    *('distutils', 'tkinter', 'turtle'),
    # What these have to say is said better by `os`, `os.path` and `codecs`.
    *('encodings', 'genericpath', 'nt', 'ntpath', 'posix', 'posixpath'),
    # These are not meant for users.
    *('lib2to3', 'pydoc_data', 'test', 'tests'),
}

Found = tuple[str, str, object]  # full name, module, and what has that name


class Corpus:
    """An iterable of Documents, one for each documented name, sorted by name.

    `doc.text` holds the docstring; `doc.tags` hold the `module`, the full `name` and the `signature`.
    """

    def __init__(self) -> None:
        self._found = sorted(_best_names().values(), key=itemgetter(0))

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Document]:
        for name, module, obj in self._found:
            tags = {'name': name, 'module': module, 'signature': _signature(obj)}
            yield Document(id=name, text=_docstring(obj), tags=tags)

    @property
    def fingerprint(self) -> str:
        """Tells whether an index made earlier still holds this very corpus."""
        texts = hashlib.sha256()
        for name, _, obj in self._found:
            texts.update(f'{name}\0{_docstring(obj)}\0'.encode(errors='replace'))
        return f'python {platform.python_version()}, {len(self)} documents, {texts.hexdigest()[:32]}'


def _best_names() -> dict[object, Found]:
    """Find all that is documented; what has several names is there once, under the best of them."""
    best: dict[object, Found] = {}
    modules = list(_modules())  # all at once: importing a module can change what is in another
    for module_name, module in modules:
        for name, obj in _public(module_name, module):
            if (inspect.isroutine(obj) or inspect.isclass(obj)) and _docstring(obj):
                found = (name, module_name, obj)
                # `random.sample` is `random.Random.sample` of one object: they count as the same.
                key = obj.__func__ if inspect.ismethod(obj) else obj
                best[key] = min(best.get(key, found), found, key=_rank)
    return best


def _rank(found: Found) -> tuple[bool, int, int, str]:
    """`OSError` goes before its alias `IOError`, and `json.JSONDecoder` before `json.decoder.JSONDecoder`."""
    name, _, obj = found
    is_alias = name.rpartition('.')[2] != getattr(obj, '__name__', None)
    return is_alias, name.count('.'), len(name), name


def _modules() -> Iterator[tuple[str, ModuleType]]:
    """Import the public modules of the standard library, those inside packages too."""
    names = ['os.path', *sys.stdlib_module_names]  # `os` is not a package, so a walk does not find `os.path`
    while names:
        name = names.pop()
        last_part = name.rpartition('.')[2]
        if last_part.startswith('_') or last_part in SKIPPED:
            continue
        module = _import(name)
        if module:
            yield name, module
            folders = getattr(module, '__path__', [])
            names += [f'{name}.{inner.name}' for inner in pkgutil.iter_modules(folders)]


def _import(name: str) -> ModuleType | None:
    """Import without a word: old modules warn, and those of other platforms fail."""
    silence = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
        warnings.simplefilter('ignore')
        try:
            return importlib.import_module(name)
        except (Exception, SystemExit):
            return None


def _public(module_name: str, module: ModuleType) -> Iterator[tuple[str, object]]:
    """Yield (full name, object) for what is in the module, and for what is in its classes."""
    prefix = '' if module is builtins else f'{module_name}.'
    for name in _exported(module):
        obj = getattr(module, name)
        yield prefix + name, obj
        for inner in vars(obj) if inspect.isclass(obj) else ():
            if not inner.startswith('_'):
                yield f'{prefix}{name}.{inner}', getattr(obj, inner, None)


def _exported(module: ModuleType) -> list[str]:
    """The names that a module offers: those it lists, or else those that it did not import from elsewhere."""
    listed = getattr(module, '__all__', None)
    if listed is None:
        listed = [name for name, obj in vars(module).items() if _is_at_home(obj, module)]
    return [name for name in listed if not name.startswith('_') and hasattr(module, name)]


def _is_at_home(obj: object, module: ModuleType) -> bool:
    """Whether the object comes from this module, or from a private one (`_csv`) that this one presents."""
    home = getattr(obj, '__module__', None) or module.__name__
    return module is builtins or home == module.__name__ or home.rpartition('.')[2].startswith('_')


def _docstring(obj: object) -> str:
    doc = obj.__doc__
    return inspect.cleandoc(doc).strip() if isinstance(doc, str) else ''


def _signature(obj: object) -> str:
    """The signature as text, empty where Python does not know it."""
    try:
        signature = inspect.signature(obj)  # type: ignore[arg-type]
    except Exception:  # a signature may name a default that does not exist any more: any error may come
        return ''
    parameters = [parameter.replace(default=_shown(parameter.default)) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=parameters))


def _shown(default: object) -> object:
    """The default if it is plain. Others tell about this run: `cgi.parse` has the whole environment as one."""
    is_plain = default is None or isinstance(default, int | float | str | bytes)
    return default if is_plain or default is inspect.Parameter.empty else Omitted()


class Omitted:
    """Shown in place of a default."""

    def __repr__(self) -> str:
        return '…'
