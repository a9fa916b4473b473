"""From a name to the Executor class it means."""

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from jina.excepts import ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.spec import did_you_mean


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
    found = defined_class(name)
    if found is None or modules:
        raise _not_found(jtype, modules)
    return found


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
    loaded = sys.modules.get(path.stem)
    if loaded is not None and getattr(loaded, '__file__', None) == str(path):
        return loaded
    if str(path.parent) not in sys.path:  # so that the file can import its neighbours
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(path.stem, None)
        raise
    return module


def module_of(cls: type[BaseExecutor]) -> list[str]:
    """What ``py_modules`` is for a class: its module's name or, where it is no part of a package, the file.

    Empty for what the running program defines itself: to import that would be to run it again.
    """
    module = sys.modules.get(cls.__module__)
    file = getattr(module, '__file__', None)
    if module is None or cls is BaseExecutor or cls.__module__ == '__main__' or file is None:
        return []
    is_part = '.' in cls.__module__ or hasattr(module, '__path__')
    return [cls.__module__ if is_part else str(Path(file).resolve())]


def _checked(found: object, name: str) -> type[BaseExecutor]:
    if isinstance(found, type) and issubclass(found, BaseExecutor):
        return found
    raise ExecutorFailToLoad(f'{name} is no Executor: it must be a class that subclasses jina.Executor')


def _not_found(jtype: str, modules: list[ModuleType]) -> ExecutorFailToLoad:
    known = {c.__name__ for c in _subclasses(BaseExecutor)} | {'BaseExecutor'}
    where = ', '.join(m.__name__ for m in modules) or 'this program, and no py_modules=[…] names a file that has it'
    return ExecutorFailToLoad(f'there is no Executor class {jtype!r} in {where}{did_you_mean(jtype, known)}')
