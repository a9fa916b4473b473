"""What a URI stands for: a path, ``file:``, ``http:``, ``https:`` or ``data:`` (RFC 2397)."""

import os
import re
import time
from binascii import Error as Base64Error
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import IO, Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener, url2pathname

from jina.excepts import BadDocument
from jina.types.shorten import shorten

__all__ = ['Resource', 'data_uri', 'read_uri']

_STEP = 1 << 16
_SCHEME = re.compile(r'([a-zA-Z][a-zA-Z0-9+.-]+):')  # of two letters and more: C:\ is a drive


class Resource(NamedTuple):
    """What was read.

    :ivar mime_type: empty when nobody says it.
    :ivar charset: likewise.
    """

    data: bytes
    mime_type: str = ''
    charset: str = ''


def read_uri(uri: str, limit: int, timeout: float) -> Resource:
    """Return what is at ``uri``.

    :param limit: how many bytes it may have.
    :param timeout: how many seconds a server may take.
    :raises BadDocument: naming the uri, when it cannot be read.
    """
    if not uri:
        raise BadDocument('there is no uri to read')
    try:
        return _read(uri, limit, timeout)
    except HTTPError as error:
        error.close()
        raise BadDocument(f'cannot read {shorten(uri)}: the server answers {error.code} {error.reason}') from error
    except (OSError, HTTPException, ValueError) as error:
        raise BadDocument(f'cannot read {shorten(uri)}: {error or type(error).__name__}') from error


def _read(uri: str, limit: int, timeout: float) -> Resource:
    named = _SCHEME.match(uri)
    scheme = named[1].lower() if named else ''
    if scheme in ('http', 'https'):
        return _read_http(uri, limit, timeout)
    if scheme == 'data':
        return _parse_data_uri(uri, limit)
    if scheme == 'file':
        return _read_file(_path_of(uri), limit)
    if scheme:
        raise ValueError(f'the scheme {scheme!r} is not known; known are file, http, https and data, and plain paths')
    return _read_file(uri, limit)


# Files


def _path_of(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.netloc not in ('', 'localhost'):
        raise ValueError(f'a file: URI names a file of this host, not of {parts.netloc!r}')
    return url2pathname(parts.path)


def _read_file(path: str, limit: int) -> Resource:
    with open(os.path.expanduser(path), 'rb') as file:
        _check(os.fstat(file.fileno()).st_size, limit)
        return Resource(_bounded(_pieces(file), limit))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_STEP):
        yield piece


def _bounded(pieces: Iterator[bytes], limit: int) -> bytes:
    data = bytearray()
    for piece in pieces:
        data += piece
        _check(len(data), limit)
    return bytes(data)


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise ValueError(f'it has more than the {limit} bytes that limit= allows')


# Servers


class _Proxies(ProxyHandler):
    """The proxies of the environment, but not for what is on this host."""

    def proxy_open(self, req: Request, proxy: str, type: str) -> Any:
        if _is_loopback(urlsplit(f'//{req.host}').hostname or ''):
            return None
        return super().proxy_open(req, proxy, type)


def _is_loopback(host: str) -> bool:
    if host == 'localhost' or host.endswith('.localhost'):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class _Redirects(HTTPRedirectHandler):
    """Follows to http and https only; urllib would follow to ftp as well."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme not in ('http', 'https'):
            raise HTTPError(newurl, code, f'a redirection to {shorten(newurl)}', headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    return build_opener(_Proxies, _Redirects)


def _read_http(uri: str, limit: int, timeout: float) -> Resource:
    deadline = time.monotonic() + timeout
    request = Request(_ascii(uri), headers={'User-Agent': 'jina', 'Accept': '*/*'})
    with _opener().open(request, timeout=timeout) as response:
        _check(int(response.headers.get('Content-Length') or 0), limit)
        data = _bounded(_received(response, deadline), limit)
        headers = response.headers
        mime_type = headers.get_content_type() if headers.get('Content-Type') else ''
        return Resource(data, mime_type, headers.get_content_charset() or '')


def _received(response: HTTPResponse, deadline: float) -> Iterator[bytes]:
    # read1() returns after one packet, so that a server that sends byte by byte does not outlast the deadline.
    while piece := response.read1(_STEP):
        yield piece
        if time.monotonic() > deadline:
            raise TimeoutError('the server took too long')
    if response.length:
        raise ValueError(f'the server closed the connection {response.length} bytes before the end')


def _ascii(uri: str) -> str:
    """Return ``uri`` as it may stand in a request: hosts in IDNA, other letters and blanks escaped."""
    scheme, netloc, path, query, _ = urlsplit(uri)
    if not netloc.isascii():
        netloc = netloc.encode('idna').decode()
    return urlunsplit((scheme, netloc, _escaped(path), _escaped(query), ''))


def _escaped(part: str) -> str:
    return quote(part, safe="%/:=&?~#+!$,;'@()*[]")


# Data URIs


def _parse_data_uri(uri: str, limit: int) -> Resource:
    head, comma, payload = uri[len('data:') :].partition(',')
    if not comma:
        raise ValueError('a data URI has a comma before its data')
    mime_type, *parameters = (part.strip() for part in head.split(';'))
    in_base64 = bool(parameters) and parameters[-1].lower() == 'base64'
    # Three bytes of data take at least three characters, in base64 four.
    _check(len(payload) * 3 // 4 - 2 if in_base64 else len(payload) // 3, limit)
    data = unquote_to_bytes(payload)
    if in_base64:
        data = _from_base64(data)
    _check(len(data), limit)
    # What RFC 2397 says of nothing at all: text/plain;charset=US-ASCII.
    charset = '' if mime_type or any('=' in part for part in parameters) else 'us-ascii'
    return Resource(data, mime_type or 'text/plain', _charset(parameters) or charset)


def _from_base64(data: bytes) -> bytes:
    from base64 import b64decode

    packed = b''.join(data.split())
    try:
        return b64decode(packed + b'=' * (-len(packed) % 4), validate=True)
    except Base64Error as error:
        raise ValueError(f'its data are not base64: {error}') from error


def _charset(parameters: list[str]) -> str:
    values = (part.partition('=')[2] for part in parameters if part.lower().startswith('charset='))
    return unquote_to_bytes(next(values, '')).decode('latin-1').strip('"')


def data_uri(data: bytes, mime_type: str, charset: str = '', base64: bool = False) -> str:
    """Return the data URI of ``data``.

    :param charset: what ``data`` are encoded in, if they are text.
    :param base64: whether they are written in base64; otherwise all but letters, digits and ``_.-~`` is escaped.
    """
    head = mime_type + (f';charset={charset}' if charset else '')
    if not base64:
        return f'data:{head},{quote_from_bytes(data, safe="")}'
    from base64 import b64encode

    return f'data:{head};base64,{b64encode(data).decode()}'
