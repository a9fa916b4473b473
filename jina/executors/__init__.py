"""Executor: a class whose ``@requests`` methods work on Documents."""

import inspect
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from jina.excepts import BadConfig, ExecutorFailToLoad, text_of
from jina.executors.decorators import BATCHING, DEFAULT_ENDPOINT, MARK
from jina.spec import BatchingSpec, did_you_mean

E = TypeVar('E', bound='BaseExecutor')

ARGUMENTS = ('docs', 'parameters', 'docs_matrix', 'groundtruths', 'groundtruths_matrix')
"""What a bound method may take, each by its name."""


class Namespace(dict[str, Any]):
    """A dict whose keys can be read and set as attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f'there is no {name!r} here, only {", ".join(self) or "nothing"}') from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class BaseExecutor:
    """Subclass it, and bind methods to endpoints with ``@requests``.

    >>> class Upper(Executor):
    ...     @requests
    ...     def upper(self, docs, **kwargs):
    ...         for doc in docs:
    ...             doc.text = doc.text.upper()

    A bound method takes any of ``docs`` (DocumentArray, or ``None`` if there are none), ``parameters`` (dict),
    ``docs_matrix`` (list of DocumentArray, one for each branch that joins here, else ``None``), ``groundtruths`` and
    ``groundtruths_matrix``. It changes the documents in place, or returns those that shall take their place.

    :ivar metas: namespace of what describes it: ``name`` (default: that of its class), ``description``, ``workspace``,
        ``py_modules``.
    :ivar requests: namespace of endpoint → method name.
    :ivar runtime_args: namespace of where it runs: ``name``, ``workspace``, ``replica_id``, ``shard_id``, ``pea_id``.
    """

    metas: Namespace
    requests: Namespace
    runtime_args: Namespace
    _given: tuple[tuple[Any, ...], dict[str, Any]]  # the arguments it was made with
    _named = False  # its configuration names it, be it after its class

    def __new__(cls, *args: Any, **kwargs: Any) -> 'BaseExecutor':
        # here, not in __init__: a subclass need not call super().__init__() to have them
        self = super().__new__(cls)
        self.metas = Namespace(name=cls.__name__, description='', workspace='', py_modules=[])
        self.requests = Namespace(**bound_methods(cls))
        self.runtime_args = Namespace(name='', workspace='', replica_id=0, shard_id=0, pea_id=0)
        self._given = args, kwargs
        return self

    def __init__(
        self,
        metas: Mapping[str, Any] | None = None,
        requests: Mapping[str, str] | None = None,
        runtime_args: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """
        :param metas: sets :attr:`metas`.
        :param requests: endpoint → method name, before what ``@requests`` says.
        :param runtime_args: sets :attr:`runtime_args`.
        :param kwargs: what a subclass did not take out of its own arguments. It may have read them; if not, nobody
            will, so a warning is logged. Without a constructor of its own nobody can: that is an error.
        """
        self.metas.update(metas or {})
        self.requests.update(requests or {})
        self.runtime_args.update(runtime_args or {})
        if kwargs:
            self._tell_of(kwargs)

    def _tell_of(self, unknown: Mapping[str, Any]) -> None:
        cls, names = type(self), ', '.join(map(repr, unknown))
        if cls.__init__ is BaseExecutor.__init__:
            raise TypeError(f'{cls.__name__}.__init__() takes no argument {names}')
        logging.getLogger(f'jina.{self.runtime_args.name or cls.__name__}').warning(
            '%s.__init__() has no argument %s: without effect, unless it is read from **kwargs', cls.__name__, names
        )

    @property
    def workspace(self) -> str:
        """This replica's own folder, created when first asked for: ``workspace/name/replica``.

        The name is that of its ``metas``, if it was given one; else the Executor's in the Flow; else that of its class.

        :raises BadConfig: if neither the Executor nor the Flow was given a workspace.
        """
        root = self.metas.workspace or self.runtime_args.workspace
        args = self.runtime_args
        name = self._given_name() or args.name or type(self).__name__
        if not root:
            raise BadConfig(
                f'Executor {name!r} has no workspace: give one with Flow(workspace=…), '
                '.add(workspace=…) or `metas: {workspace: …}`'
            )
        folder = Path(os.path.expanduser(root), name, str(args.replica_id or args.shard_id or args.pea_id))
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder.resolve())

    def _given_name(self) -> str:
        """The name in :attr:`metas`; empty if it is there for want of another."""
        name = self.metas.name or ''
        return name if self._named or name != type(self).__name__ else ''

    def close(self) -> None:
        """Called once when the Executor ends. Override it to save or to release something."""

    def __enter__(self: E) -> E:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @classmethod
    def load_config(
        cls,
        source: Any,
        *,
        uses_with: Mapping[str, Any] | None = None,
        uses_metas: Mapping[str, Any] | None = None,
        uses_requests: Mapping[str, str] | None = None,
        override_with: Mapping[str, Any] | None = None,
        override_metas: Mapping[str, Any] | None = None,
        override_requests: Mapping[str, str] | None = None,
    ) -> 'BaseExecutor':
        """Make an Executor, here in this process.

        :param source: a YAML file, by its path or open, YAML text, or a dict: ``jtype``, ``with``, ``metas``,
            ``requests``.
        :param uses_with: arguments of its ``__init__``, before those of ``source``; 2.0 called it ``override_with``.
        :param uses_metas: likewise for ``metas``.
        :param uses_requests: likewise for ``requests``.
        :raises BadConfig: if ``source`` cannot be read.
        :raises ExecutorFailToLoad: if the class cannot be found or constructed.
        """
        from jina.config import read_uses
        from jina.executors.loading import find_class

        config = read_uses(source)
        return construct(
            find_class(config.jtype, config.py_modules),
            {**config.with_, **(override_with or {}), **(uses_with or {})},
            {**config.metas, **(override_metas or {}), **(uses_metas or {})},
            {**config.requests, **(override_requests or {}), **(uses_requests or {})},
        )

    def save_config(self, filename: str | Path) -> None:
        """Write it as YAML that :meth:`load_config` and ``uses`` read: its class, the arguments it was made with, and
        what was set of ``metas`` and ``requests``.

        A class of a module is written with its file or module; of one that the running program defines itself only
        the name is known.

        :raises BadConfig: naming an argument that YAML cannot express.
        """
        from jina.config import ExecutorConfig, save_executor
        from jina.executors.loading import module_of

        cls = type(self)
        bound = bound_methods(cls)
        config = ExecutorConfig(
            cls.__name__,
            _arguments(self),
            {name: value for name, value in {**self.metas, 'name': self._given_name()}.items() if value},
            {endpoint: name for endpoint, name in self.requests.items() if bound.get(endpoint) != name},
            module_of(cls),
        )
        save_executor(config, Path(filename))


Executor = BaseExecutor

INJECTED = ('metas', 'requests', 'runtime_args')


def _arguments(executor: BaseExecutor) -> dict[str, Any]:
    """The arguments that an Executor was made with, by name."""
    args, kwargs = executor._given
    signature = inspect.signature(type(executor).__init__)
    names = [p.name for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(args) >= len(names):
        raise BadConfig(f'{type(executor).__name__}: arguments without a name cannot be written as YAML: {args!r}')
    named = dict(zip(names[1:], args, strict=False)) | kwargs
    return {name: value for name, value in named.items() if name not in INJECTED}


def bound_methods(cls: type) -> dict[str, str]:
    """The endpoints that ``@requests`` binds in a class and its bases, and the names of the methods."""
    bound: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            bound.update(dict.fromkeys(getattr(member, MARK, ()), name))
    return bound


def construct(
    cls: type[BaseExecutor],
    with_: Mapping[str, Any],
    metas: Mapping[str, Any] | None = None,
    requests: Mapping[str, str] | None = None,
    runtime_args: Mapping[str, Any] | None = None,
) -> BaseExecutor:
    """Make an Executor as a Flow does: ``metas`` and the rest are there even if its ``__init__`` calls no ``super``.

    :raises ExecutorFailToLoad: if ``__init__`` raises, with that as the cause.
    """
    injected = {'metas': metas or {}, 'requests': requests or {}, 'runtime_args': runtime_args or {}}
    executor = cls.__new__(cls)
    executor._given = (), dict(with_)
    executor._named = bool(injected['metas'].get('name'))
    for name, values in injected.items():
        getattr(executor, name).update(values)
    takes = inspect.signature(cls.__init__).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in takes.values()):
        injected = {name: values for name, values in injected.items() if name in takes}
    try:
        executor.__init__(**{**injected, **with_})  # type: ignore[misc]
    except BaseException as error:  # SystemExit, too: it means this Executor, not its process
        raise ExecutorFailToLoad(
            f'{cls.__name__}.__init__() raised {type(error).__name__}: {text_of(error)}'
            + (f' (called with {", ".join(f"{k}={v!r}" for k, v in with_.items())})' if with_ else '')
        ) from error
    return executor


class Handler:
    """A bound method, ready to be called with those of the arguments it takes.

    :ivar is_async: it is an ``async def``.
    :ivar batching: how requests share its calls; ``None``: each has its own.
    """

    __slots__ = ('batching', 'function', 'is_async', 'name', 'takes')

    def __init__(self, function: Callable[..., Any], batching: BatchingSpec | None = None) -> None:
        self.function = function
        self.name = getattr(function, '__qualname__', repr(function))
        self.is_async = inspect.iscoroutinefunction(function)
        self.takes = _takes(function, self.name)
        batching = batching or getattr(function, BATCHING, None)
        self.batching = batching if batching is not None and batching.batch > 1 else None

    def __call__(self, arguments: Mapping[str, Any]) -> Any:
        if self.takes is ARGUMENTS:
            return self.function(**arguments)
        return self.function(**{name: arguments[name] for name in self.takes})


def _takes(function: Callable[..., Any], name: str) -> tuple[str, ...]:
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return ARGUMENTS
    for p in parameters:
        if p.name not in ARGUMENTS and p.default is p.empty and p.kind is not p.VAR_POSITIONAL:
            raise ExecutorFailToLoad(f'{name} takes {p.name!r}, but a bound method is given: {", ".join(ARGUMENTS)}')
    return tuple(p.name for p in parameters if p.name in ARGUMENTS)


def handlers(executor: BaseExecutor, batching: Mapping[str, BatchingSpec] | None = None) -> dict[str, Handler]:
    """The endpoints of an Executor and what works on them.

    :param batching: endpoint → how requests share calls, before what ``@requests`` says.
    :raises ExecutorFailToLoad: if ``requests`` names a method that does not exist or cannot be called, or ``batching``
        an endpoint that nothing is bound to.
    """
    batching = batching or {}
    table = {}
    for endpoint in batching:
        if endpoint not in executor.requests:
            raise ExecutorFailToLoad(
                f'{type(executor).__name__} binds nothing to {endpoint!r}, which batching= names'
                f'{did_you_mean(endpoint, executor.requests)}'
            )
    for endpoint, name in executor.requests.items():
        method = getattr(executor, name, None) if isinstance(name, str) else name
        if not callable(method):
            raise ExecutorFailToLoad(
                f'{type(executor).__name__} has no method {name!r}, which its `requests` bind to {endpoint!r}'
            )
        table[endpoint] = Handler(method, batching.get(endpoint))
    return table


def handler_for(table: Mapping[str, Handler], endpoint: str) -> Handler | None:
    """What works on an endpoint: what is bound to it, else the default, else nothing."""
    return table.get(endpoint) or table.get(DEFAULT_ENDPOINT)
