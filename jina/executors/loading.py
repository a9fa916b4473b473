"""From a name to the Executor class it means."""

import hashlib
import importlib
import importlib.util
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from jina.excepts import ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.spec import did_you_mean

PACKAGE_FILE = '__init__.py'
PACKAGE_MARK = 'user_package_'

_importing = threading.RLock()  # replicas in threads import the same file at the same time


def find_class(jtype: str, py_modules: Iterable[str] = ()) -> type[BaseExecutor]:
    """The Executor class of that name.

    :param jtype: the name of a class of ``py_modules`` or of the running program, or ``package.module.Class``.
    :param py_modules: paths of Python files, or names of modules, imported first.
    :raises ExecutorFailToLoad: if a module cannot be imported or none of them has the class.
    """
    modules = [import_module(m) for m in py_modules]
    module_name, _, name = jtype.rpartition('.')
    if module_name:
        modules.append(import_module(module_name))
    for module in modules:
        if hasattr(module, name):
            return _checked(getattr(module, name), f'{module.__name__}.{name}')
    found = _defined_within(modules, name) or defined_class(name)
    if found is None:
        raise _not_found(jtype, modules)
    return found


def _defined_within(modules: list[ModuleType], name: str) -> type[BaseExecutor] | None:
    """The Executor class of that name that a package defines in one of its modules, and need not name itself."""
    homes = tuple(f'{module.__name__}.' for module in modules)
    classes = (cls for cls in _subclasses(BaseExecutor) if cls.__name__ == name and cls.__module__.startswith(homes))
    return next(classes, None)


def defined_class(name: str) -> type[BaseExecutor] | None:
    """The Executor class of that name that the running program has defined; the newest, where there are several."""
    found = None
    for cls in _subclasses(BaseExecutor):
        if name in (cls.__name__, f'{cls.__module__}.{cls.__name__}'):
            found = cls
    return BaseExecutor if name in ('BaseExecutor', 'Executor') else found


def _subclasses(cls: type[BaseExecutor]) -> Iterator[type[BaseExecutor]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def import_module(name_or_path: str) -> ModuleType:
    """Import a module by name, or a file by path.

    :raises ExecutorFailToLoad: if there is none, or it raises, with that as the cause.
    """
    try:
        if name_or_path.endswith('.py'):
            return _import_file(Path(name_or_path))
        return importlib.import_module(name_or_path)
    except BaseException as error:  # a module may call sys.exit()
        raise ExecutorFailToLoad(f'cannot import {name_or_path!r}: {type(error).__name__}: {error}') from error


def _import_file(path: Path) -> ModuleType:
    path = path.resolve()
    if not path.exists():
        raise FileNotFoundError(f'there is no file {path}')
    is_package = path.name == PACKAGE_FILE
    if not is_package and str(path.parent) not in sys.path:  # so that the file can import its neighbours
        sys.path.insert(0, str(path.parent))
    with _importing:
        return _import_as(_package_name(path.parent) if is_package else path.stem, path)


def _package_name(folder: Path) -> str:
    """A name that is this folder's alone: those of the same name, and their modules, are not taken for each other."""
    readable = re.sub(r'\W', '_', folder.name)
    return f'{PACKAGE_MARK}{readable}_{hashlib.sha256(bytes(folder)).hexdigest()[:8]}'


def _import_as(name: str, path: Path) -> ModuleType:
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, '__file__', None) == str(path):
        return loaded
    spec = importlib.util.spec_from_file_location(name, path)  # knows by its name that __init__.py is a package
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        _forget(name)
        raise
    return module


def _forget(name: str) -> None:
    """Not only the module: its own, if it is a package, have been imported from what has failed."""
    for other in [*sys.modules]:
        if other == name or other.startswith(f'{name}.'):
            del sys.modules[other]


def module_of(cls: type[BaseExecutor]) -> list[str]:
    """What ``py_modules`` is for a class: its module's name or, where no other program knows that, the file.

    Empty for what the running program defines itself: to import that would be to run it again.
    """
    root = cls.__module__.partition('.')[0]
    module = sys.modules.get(root if root.startswith(PACKAGE_MARK) else cls.__module__)
    file = getattr(module, '__file__', None)
    if module is None or cls is BaseExecutor or cls.__module__ == '__main__' or file is None:
        return []
    is_part = '.' in module.__name__ or (hasattr(module, '__path__') and not root.startswith(PACKAGE_MARK))
    return [module.__name__ if is_part else str(Path(file).resolve())]


def _checked(found: object, name: str) -> type[BaseExecutor]:
    if isinstance(found, type) and issubclass(found, BaseExecutor):
        return found
    raise ExecutorFailToLoad(f'{name} is no Executor: it must be a class that subclasses jina.Executor')


def _not_found(jtype: str, modules: list[ModuleType]) -> ExecutorFailToLoad:
    known = {c.__name__ for c in _subclasses(BaseExecutor)} | {'BaseExecutor'}
    where = ', '.join(m.__name__ for m in modules) or 'this program, and no py_modules=[…] names a file that has it'
    return ExecutorFailToLoad(f'there is no Executor class {jtype!r} in {where}{did_you_mean(jtype, known)}')
