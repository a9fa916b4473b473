"""``post`` and its sugar, for everything that has a link to a server."""

import contextlib
import logging
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partialmethod
from inspect import iscoroutinefunction, signature
from typing import Any

import msgspec

from jina.clients.exchange import Call, Exchange, stream
from jina.clients.link import Link, OpenLink, open_within
from jina.clients.progress import Progress
from jina.clients.request import called, is_async, size_hint
from jina.clients.sessions import Sessions
from jina.excepts import BadClientCallback, BadClientInput, BadOption, ServerUnreachable
from jina.spec import did_you_mean
from jina.types.request import Response, StatusCode

Callback = Callable[[Response], Any]

_log = logging.getLogger('jina.client')


class Poster:
    """Has ``post``.

    :param open_link: opens a connection to the server.
    :param asynchronous: ``post`` gives an async generator, instead of blocking.
    """

    def __init__(self, open_link: OpenLink, asynchronous: bool) -> None:
        self._open_link = open_link
        self._asynchronous = asynchronous
        self._sessions = Sessions(open_link)

    def post(
        self,
        on: str,
        inputs: Any = None,
        on_done: Callback | None = None,
        on_error: Callback | None = None,
        on_always: Callback | None = None,
        parameters: Mapping[str, Any] | None = None,
        target_peapod: str | None = None,
        request_size: int = 100,
        show_progress: bool = False,
        continue_on_error: bool = False,
        return_results: bool = False,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Send Documents to an endpoint.

        :param on: the endpoint, as in ``@requests(on='/index')``.
        :param inputs: a Document or only its id, an iterable of Documents (also of pairs with their groundtruth), a
            function that returns either, or ``None``; where ``post`` is asynchronous, also an async iterable.
        :param on_done: called with each :class:`~jina.types.request.Response`; on errors too, without ``on_error``.
        :param on_error: called with each response whose status is an error.
        :param on_always: called with every response, after the others.
        :param parameters: given to the Executors. Keys that are numbers become strings, as in JSON.
        :param target_peapod: regex; only Executors whose names it matches work on the request.
        :param request_size: Documents a request; ≤ 0: all in one.
        :param show_progress: show on stderr how far it is: a bar in a terminal or a notebook, else a line now and then.
        :param continue_on_error: a callback that raises is logged and does not end ``post``.
        :param return_results: return the responses, in the order of the requests.
        :param timeout: seconds that each request may take. After them its outcome is an error, and what has not begun
            of it does not begin. Default: no limit.
        :param kwargs: for programs that pass more; ignored, with a warning.
        :return: ``None``, or with ``return_results`` the list of responses; where ``post`` is asynchronous, an async
            generator of responses in the order of the requests.
        :raises BadClientInput: if ``inputs`` is or holds what is no Document, or one that cannot be sent, or raises.
        :raises BadClientCallback: if a callback raises.
        :raises BadOption: if ``parameters`` cannot be sent, or another argument is not what it should be; a callback
            is not to be an ``async def``, which nobody would await.
        :raises ServerUnreachable: if there is no server, or it goes away.
        """
        if kwargs:
            _warn_of(kwargs)
        if not isinstance(request_size, int):
            raise BadOption(f'post(request_size={request_size!r}): it is a number of Documents')
        if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
            raise BadOption(f'post(timeout={timeout!r}): it is a number of seconds, more than 0')
        for option, callback in (('on_done', on_done), ('on_error', on_error), ('on_always', on_always)):
            _check_callback(option, callback)
        endpoint = _checked_text('on', on, 'the endpoint is a string such as "/index"')
        target = _checked_text('target_peapod', target_peapod, 'it is a string, a regex over names of Executors')
        call = Call(
            endpoint, inputs, on_done, on_error, on_always, parameters or {}, target,
            request_size, show_progress, continue_on_error, return_results, timeout,
        )  # fmt: skip
        if self._asynchronous:
            return self._stream(call)
        with self._explained():
            return self._sessions.run(lambda link: _collect(link, call), call.timeout)

    index = partialmethod(post, '/index')
    search = partialmethod(post, '/search')
    update = partialmethod(post, '/update')
    delete = partialmethod(post, '/delete')

    async def _stream(self, call: Call) -> AsyncIterator[Response]:
        link = await open_within(call.timeout, self._open_link)
        try:
            with self._explained(), Progress(call.show_progress, size_hint(call.inputs)) as progress:
                async for response in stream(link, call, lambda r, n: _deliver(call, r, n, progress), progress.sent):
                    yield response
        finally:
            await link.close()

    def _why_lost(self) -> str:
        """Why the server went away, where a subclass knows."""
        return ''

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except ServerUnreachable as error:
            if why := self._why_lost():
                raise ServerUnreachable(f'{why}; {error}') from error
            raise


async def _collect(link: Link, call: Call) -> list[Response] | None:
    """Run a call; its responses in order, if they are wanted."""
    if is_async(called_once := called(call.inputs)):
        raise BadClientInput('inputs is asynchronous: use AsyncFlow, Flow(asyncio=True) or Client(asyncio=True)')
    call = msgspec.structs.replace(call, inputs=called_once)
    results: dict[int, Response] = {}
    with Progress(call.show_progress, size_hint(called_once)) as progress:

        def received(position: int, response: Response, count: int) -> None:
            _deliver(call, response, count, progress)
            if call.return_results:
                results[position] = response

        await Exchange(link, call, received, sent=progress.sent).run()
    return [results[i] for i in sorted(results)] if call.return_results else None


def _deliver(call: Call, response: Response, count: int, progress: Progress) -> None:
    """Call back, and show."""
    failed = response.status.code >= StatusCode.ERROR
    if failed and call.on_error is None:
        _log.error('request %s: %s', response.request_id, response.status.description)
    if failed and call.on_error is not None:
        _call_back('on_error', call.on_error, response, call.continue_on_error)
    elif call.on_done is not None:
        _call_back('on_done', call.on_done, response, call.continue_on_error)
    if call.on_always is not None:
        _call_back('on_always', call.on_always, response, call.continue_on_error)
    progress.advance(count)


def _call_back(event: str, callback: Callback, response: Response, continue_on_error: bool) -> None:
    try:
        callback(response)
    except Exception as error:
        name = getattr(callback, '__name__', repr(callback))
        told = f'the callback {event}={name} raised {type(error).__name__}: {error}'
        if not continue_on_error:
            raise BadClientCallback(told) from error
        _log.error('%s', told, exc_info=error)


def _warn_of(unknown: Mapping[str, Any]) -> None:
    known = signature(Poster.post).parameters.keys() - {'self', 'kwargs'}
    for name in unknown:
        hint = did_you_mean(name, known).partition(';')[0] or f'; parameters={{{name!r}: …}} gives it to the Executors'
        warnings.warn(f'post() has no argument {name!r} and ignores it{hint}', stacklevel=3)


def _checked_text(option: str, value: Any, told: str) -> str:
    if value is None:
        return ''
    if not isinstance(value, str):
        raise BadOption(f'post({option}={value!r}): {told}')
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadOption(f'post({option}={value!r}): it cannot be sent: {error}') from error
    return value


def _check_callback(option: str, callback: Any) -> None:
    if callback is None:
        return
    name = getattr(callback, '__name__', repr(callback))
    if not callable(callback):
        raise BadOption(f'post({option}={name}): it is a function that takes a Response')
    if iscoroutinefunction(callback) or iscoroutinefunction(callback.__call__):
        raise BadOption(f'post({option}={name}): nobody awaits an `async def` here: give it a plain function')
