"""Import an Executor class and look at it, without making an Executor: it may load a model.

A program: reads a :class:`Question` as JSON from stdin, writes an :class:`Answer` as JSON to stdout.
"""

import inspect
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

import jina
from jina.excepts import ExecutorFailToLoad, text_of
from jina.executors import BaseExecutor, handlers
from jina.executors.loading import find_class

INJECTED = ('metas', 'requests', 'runtime_args')
OURS = str(Path(jina.__file__).parent)


class Question(msgspec.Struct):
    """An Executor as its YAML describes it.

    :ivar path: where modules are looked for.
    """

    jtype: str
    py_modules: list[str]
    with_: dict[str, Any]
    requests: dict[str, str]
    path: list[str]


class Answer(msgspec.Struct):
    """What there is to say of it.

    :ivar cls: the class and where it is defined.
    :ivar problems: why it will not work.
    :ivar doubts: what may not be meant.
    """

    cls: str = ''
    endpoints: list[str] = []
    problems: list[str] = []
    doubts: list[str] = []


def answer(question: Question) -> Answer:
    """Look at the class."""
    try:
        cls = find_class(question.jtype, question.py_modules)
    except ExecutorFailToLoad as error:
        return Answer(problems=[f'{error}{_place(error.__cause__)}'])
    told = Answer(cls=f'class {cls.__name__}{_home(cls)}')
    told.problems += _wrong_arguments(cls, question.with_)
    told.doubts += _unknown_arguments(cls, question.with_)
    try:
        told.endpoints = _endpoints(cls, question.requests)
    except Exception as error:
        told.problems.append(text_of(error))
    if not told.endpoints and not told.problems and cls is not BaseExecutor:
        told.doubts.append(f'{cls.__name__} has no method with @requests: requests pass it unchanged')
    return told


def _home(cls: type) -> str:
    return f' of {sys.modules[cls.__module__].__file__}' if cls is not BaseExecutor else ''


def _place(error: BaseException | None) -> str:
    """Where in the user's code an import failed."""
    if isinstance(error, SyntaxError):
        return f' ({error.filename}, line {error.lineno})'
    frames = traceback.extract_tb(error.__traceback__) if error else []
    theirs = [f for f in frames if not f.filename.startswith((OURS, '<frozen', os.path.dirname(os.__file__)))]
    return f' ({theirs[-1].filename}, line {theirs[-1].lineno})' if theirs else ''


def _endpoints(cls: type[BaseExecutor], bound: dict[str, str]) -> list[str]:
    """The endpoints; raises if what is bound to one cannot be called as it will be."""
    executor = cls.__new__(cls)
    executor.requests.update(bound)
    return list(handlers(executor))


def _wrong_arguments(cls: type, given: dict[str, Any]) -> Iterator[str]:
    takes = inspect.signature(cls.__init__)  # type: ignore[misc]
    injected = {name: None for name in INJECTED if name in takes.parameters and name not in given}
    try:
        takes.bind(None, **given, **injected)
    except TypeError as error:
        yield f'{cls.__name__}.__init__(): {error}, and `with:` gives {", ".join(given) or "none"}'


def _unknown_arguments(cls: type, given: dict[str, Any]) -> Iterator[str]:
    """Arguments that end in the ``**kwargs`` of every ``__init__``, where nothing takes them."""
    named = {name for base in cls.__mro__ for name in inspect.signature(base.__init__).parameters}  # type: ignore[misc]
    if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(cls.__init__).parameters.values()):  # type: ignore[misc]
        yield from (f'no __init__ of {cls.__name__} names the argument {name!r}' for name in given if name not in named)


def main() -> None:
    """Answer one question."""
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.path[:] = question.path
    with os.fdopen(os.dup(1), 'wb') as out:
        os.dup2(2, 1)  # what an import prints must not be taken for the answer
        out.write(msgspec.json.encode(answer(question)))
    sys.stderr.flush()
    os._exit(0)  # threads and exit handlers of what was imported are of no interest


if __name__ == '__main__':
    main()
