"""Every error this package raises on purpose.

::

    JinaError
    ├── BadOption (TypeError)             an option that does not exist, or a value of the wrong type
    ├── BadConfig (ValueError)            YAML or a dict that cannot be read as what it should be
    │   └── BadFlowYAMLVersion
    ├── BadDocType (TypeError)            a value of the wrong type, refused where it enters a Document
    ├── BadDocument (ValueError)          bytes, JSON or a dict that is no Document
    ├── StoreError (OSError)              the files of a DocumentArrayMemmap cannot be read or written
    ├── FlowError
    │   ├── FlowTopologyError             a graph that cannot be: unknown name, cycle, name used twice
    │   ├── FlowMissingPodError           there is no Executor of that name
    │   └── FlowBuildLevelError           the call does not fit the state of the Flow (not open, open already)
    ├── ExecutorFailToLoad                a class that cannot be found, imported or constructed
    ├── RuntimeFailToStart                a process or thread that did not become ready; see ``__cause__``
    │   ├── StartTimeout                  … within its deadline
    │   └── NoAvailablePortError          … because its port is taken
    ├── RemoteError                       what another process raised, where the error itself could not travel
    ├── WireError (ValueError)            bytes that break the protocol between our own processes
    ├── BadClient
    │   ├── BadClientInput                ``inputs`` that cannot be sent
    │   └── BadClientCallback             a callback raised; see ``__cause__``
    └── ServerUnreachable (ConnectionError)   nothing answers, or what answered went away
"""

import traceback


def text_of(error: BaseException) -> str:
    """What an exception says, as text that can be sent: it may be anybody's, and raise or hold anything itself."""
    try:
        text = str(error)
    except BaseException:
        text = '(its text cannot be had)'
    return text.encode(errors='backslashreplace').decode()


def stack_of(error: BaseException) -> list[str]:
    """The lines of a traceback, from where it enters code that is not this package's: what is above tells nothing."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and _is_ours(trace.tb_frame.f_globals.get('__name__', '')):
        trace = trace.tb_next
    lines = traceback.format_exception(type(error), error, trace)
    return [line.encode(errors='backslashreplace').decode() for line in lines]


def _is_ours(module: str) -> bool:
    return module.startswith('jina.') and not module.startswith('jina.hello.')


class JinaError(Exception):
    """The root: ``except JinaError`` catches all that this package raises on purpose."""


class BadOption(JinaError, TypeError):
    """An option that does not exist, or a value of the wrong type."""


class BadConfig(JinaError, ValueError):
    """YAML or a dict that cannot be read as an Executor or a Flow."""


class BadFlowYAMLVersion(BadConfig):
    """A Flow YAML whose ``version`` this package does not know."""


class BadDocType(JinaError, TypeError):
    """A value of the wrong type, refused where it enters a Document or DocumentArray."""


class BadDocument(JinaError, ValueError):
    """Bytes, JSON or a dict that cannot be read as Documents."""


class StoreError(JinaError, OSError):
    """The files of a DocumentArrayMemmap cannot be read or written: no such store, corrupt, locked, full, closed."""


class FlowError(JinaError):
    """A Flow was built or used in a way that cannot work."""


class FlowTopologyError(FlowError):
    """The graph cannot be: an unknown name, a cycle, or a name that is used twice."""


class FlowMissingPodError(FlowError, KeyError):
    """There is no Executor of that name in the Flow."""

    __str__ = Exception.__str__  # KeyError would show the repr of the message


class FlowBuildLevelError(FlowError):
    """The call does not fit the state of the Flow: it needs an open one, or one not yet open."""


class ExecutorFailToLoad(JinaError):
    """An Executor class that cannot be found, imported or constructed."""


class RuntimeFailToStart(JinaError):
    """A process or thread did not become ready. The child's own error is the ``__cause__``."""


class StartTimeout(RuntimeFailToStart):
    """A process or thread did not become ready within its deadline."""


class NoAvailablePortError(RuntimeFailToStart):
    """The address to listen at is taken, or not ours to take."""


class RemoteError(JinaError):
    """What another process raised, where the exception itself could not travel.

    :ivar name: the class name of the original exception.
    :ivar stack: its traceback as text.
    """

    def __init__(self, name: str, message: str, stack: str = '') -> None:
        super().__init__(name, message, stack)
        self.name, self.message, self.stack = name, message, stack

    def __str__(self) -> str:
        shown = f'{self.name}: {self.message}' if self.message else self.name
        return f'{shown}\n\n{self.stack.rstrip()}' if self.stack else shown


class WireError(JinaError, ValueError):
    """Bytes that break the protocol between our own processes."""


class BadClient(JinaError):
    """Something on the client's side of a request."""


class BadClientInput(BadClient):
    """``inputs`` that cannot be sent as Documents."""


class BadClientCallback(BadClient):
    """A callback raised. What it raised is the ``__cause__``."""


class ServerUnreachable(JinaError, ConnectionError):
    """Nothing answers at the address, or what answered there went away."""
