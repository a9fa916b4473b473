"""From one form of content to another: the ``convert_*`` methods of a Document."""

from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from jina.excepts import BadDocType, BadDocument, BadOption
from jina.types.arrays.item import Item

if TYPE_CHECKING:
    from jina.types.document.attribute import Attribute
    from jina.types.document.uri import Resource

__all__ = ['Convertible']

_LIMIT = 256 << 20
_TIMEOUT = 10.0

_BINARY = 'application/octet-stream'


class Convertible(Item):
    """What every Document can do with its content and its ``uri``.

    All methods change the Document in place and return it. When one fails, nothing has changed. ``uri`` is a path,
    or begins with ``file:``, ``http:``, ``https:`` or ``data:``; other schemes are refused. ``limit`` is the number
    of bytes that may be read, ``timeout`` the seconds that a server may take. Proxies of the environment are used
    for other hosts, never for this one.
    """

    if TYPE_CHECKING:
        text = uri = mime_type = Attribute(str, '', '', '')
        buffer = Attribute(bytes, b'', b'', '')
        blob = cast('Any', None)

        @property
        def content_type(self) -> str | None: ...

    # Between uri and buffer or text

    def convert_uri_to_buffer(self, limit: int = _LIMIT, timeout: float = _TIMEOUT) -> Self:
        """Set ``buffer`` to what is at ``uri``.

        :raises BadDocument: naming the uri, when it cannot be read.
        """
        read = self._read_uri(limit, timeout)
        self.buffer = read.data
        return self._described(read.mime_type)

    def convert_uri_to_text(self, charset: str | None = None, limit: int = _LIMIT, timeout: float = _TIMEOUT) -> Self:
        """Set ``text`` to what is at ``uri``.

        :param charset: how it is encoded; by default what the URI or the server says, else UTF-8.
        :raises BadDocument: naming the uri, when it cannot be read.
        """
        read = self._read_uri(limit, timeout)
        text = _decoded(read.data, charset or read.charset or 'utf-8', self.uri)
        self._described(read.mime_type)
        self.text = text
        return self

    def convert_uri_to_datauri(
        self, charset: str = 'utf-8', base64: bool = False, limit: int = _LIMIT, timeout: float = _TIMEOUT
    ) -> Self:
        """Replace ``uri`` by a data URI of what is there. A data URI stays as it is; the content is not touched.

        :param charset: what the data are encoded in, if they are text.
        :param base64: write the data in base64, which is shorter for anything but text.
        :raises BadDocument: naming the uri, when it cannot be read.
        """
        if self.uri[:5].lower() == 'data:':
            return self
        read = self._read_uri(limit, timeout)
        mime_type = self.mime_type or read.mime_type or _BINARY
        return self._become_uri(read.data, mime_type, read.charset or charset, base64)

    def convert_buffer_to_uri(self, charset: str = 'utf-8', base64: bool = False, mime_type: str | None = None) -> Self:
        """Set ``uri`` to a data URI of ``buffer``, which stays.

        :param charset: what the buffer is encoded in, if it is text.
        :param base64: write the data in base64, which is shorter for anything but text.
        :param mime_type: what the buffer is; by default as ``mime_type`` says, else just bytes.
        :raises BadDocument: when there is no buffer.
        """
        self._need('buffer')
        return self._become_uri(self.buffer, mime_type or self.mime_type or _BINARY, charset, base64)

    def convert_text_to_uri(self, charset: str = 'utf-8', base64: bool = False) -> Self:
        """Set ``uri`` to a data URI of ``text``, which stays.

        :param charset: what the text is to be encoded in.
        :param base64: write the data in base64.
        :raises BadDocument: when there is no text, or it has characters that the charset has not.
        """
        self._need('text')
        mime_type = self.mime_type or 'text/plain'
        return self._become_uri(_encoded(self.text, charset), mime_type, charset, base64, is_text=True)

    def convert_content_to_uri(self) -> Self:
        """Set ``uri`` to a data URI of the text or the buffer; without content nothing changes.

        :raises BadDocument: when the content is an array, which has no form of its own in a URI.
        """
        kind = self.content_type
        if kind == 'text':
            return self.convert_text_to_uri()
        if kind == 'buffer':
            return self.convert_buffer_to_uri(base64=not self.mime_type.startswith('text/'))
        if kind is not None:
            raise BadDocument(f'a {kind} has no form in a URI: use convert_image_blob_to_uri() or a buffer')
        return self

    # Between buffer and blob

    def convert_buffer_to_blob(self, dtype: Any = None, count: int = -1, offset: int = 0) -> Self:
        """Set ``blob`` to the numbers in ``buffer``, an array of one dimension.

        :param dtype: the type of the numbers; by default float64.
        :param count: how many; by default all there are.
        :param offset: how many bytes to skip at the beginning.
        :raises BadDocument: when there is no buffer, or not that many whole numbers in it.
        """
        self._need('buffer')
        try:
            array = np.frombuffer(self.buffer, np.dtype(dtype), count, offset)
        except (ValueError, TypeError) as error:
            raise BadDocument(f'a buffer of {len(self.buffer)} bytes cannot become an array: {error}') from error
        self.blob = array.copy()
        return self

    def convert_blob_to_buffer(self) -> Self:
        """Set ``buffer`` to the bytes of ``blob``, in C order; shape and dtype are lost.

        :raises BadDocument: when there is no blob.
        """
        self.buffer = self._dense_blob().tobytes()
        return self

    # Images

    def convert_image_buffer_to_blob(
        self,
        color_axis: int = -1,
        width: int | None = None,
        height: int | None = None,
        resize_method: str = 'BILINEAR',
    ) -> Self:
        """Set ``blob`` to the pixels of the image file in ``buffer``: float32 of shape (height, width, 3), 0 to 255.

        :param color_axis: where the axis of red, green and blue is to be: 0 for (3, height, width).
        :param width: resize it to so many pixels; one side alone keeps the proportions.
        :param height: likewise.
        :param resize_method: as Pillow names them: ``NEAREST``, ``BILINEAR``, ``LANCZOS``, …
        :raises BadDocument: when there is no buffer, or it is no image.
        :raises ImportError: when Pillow is not installed.
        """
        from jina.types.document.image import decode_image

        self._need('buffer')
        self.blob = decode_image(self.buffer, (width, height), color_axis, resize_method)
        return self

    def convert_image_uri_to_blob(
        self,
        color_axis: int = -1,
        uri_prefix: str | None = None,
        width: int | None = None,
        height: int | None = None,
        resize_method: str = 'BILINEAR',
        limit: int = _LIMIT,
        timeout: float = _TIMEOUT,
    ) -> Self:
        """Set ``blob`` to the pixels of the image at ``uri``, as :meth:`convert_image_buffer_to_blob` does.

        :param uri_prefix: what to put in front of the uri.
        :raises BadDocument: naming the uri, when it cannot be read, or is no image.
        :raises ImportError: when Pillow is not installed.
        """
        from jina.types.document.image import decode_image

        read = self._read_uri(limit, timeout, uri_prefix or '')
        self.blob = decode_image(read.data, (width, height), color_axis, resize_method)
        return self._described(read.mime_type)

    def convert_image_datauri_to_blob(
        self,
        color_axis: int = -1,
        width: int | None = None,
        height: int | None = None,
        resize_method: str = 'BILINEAR',
    ) -> Self:
        """Set ``blob`` to the pixels of the image in a data URI, as :meth:`convert_image_buffer_to_blob` does.

        :raises BadDocument: when ``uri`` is no data URI, or not of an image.
        :raises ImportError: when Pillow is not installed.
        """
        if self.uri[:5].lower() != 'data:':
            raise BadDocument(f'uri is no data URI: {self.uri[:60]!r}')
        return self.convert_image_uri_to_blob(color_axis, None, width, height, resize_method)

    def convert_image_blob_to_uri(
        self,
        width: int | None = None,
        height: int | None = None,
        resize_method: str = 'BILINEAR',
        color_axis: int = -1,
    ) -> Self:
        """Set ``uri`` to a data URI of the PNG of ``blob``, which stays.

        :param width: resize it to so many pixels; one side alone keeps the proportions. A blob of one dimension
            is read as that many pixels in a row.
        :param height: likewise.
        :param resize_method: as Pillow names them: ``NEAREST``, ``BILINEAR``, ``LANCZOS``, …
        :param color_axis: where in ``blob`` the axis of the colours is.
        :raises BadDocument: when there is no blob, or it has not the shape of an image.
        :raises ImportError: when Pillow is not installed.
        """
        from jina.types.document.image import encode_png

        png = encode_png(self._dense_blob(), (width, height), color_axis, resize_method)
        self._become_uri(png, 'image/png', '', True)
        self.mime_type = 'image/png'
        return self

    # What they share

    def _read_uri(self, limit: int, timeout: float, prefix: str = '') -> 'Resource':
        from jina.types.document.uri import read_uri

        return read_uri(prefix + self.uri, limit, timeout)

    def _become_uri(self, data: bytes, mime_type: str, charset: str, base64: bool, is_text: bool = False) -> Self:
        from jina.types.document.uri import data_uri

        # A charset says something of text only.
        self.uri = data_uri(data, mime_type, charset if is_text or mime_type.startswith('text/') else '', base64)
        return self._described(mime_type)

    def _described(self, mime_type: str) -> Self:
        if mime_type and not self.mime_type:
            self.mime_type = mime_type
        return self

    def _need(self, kind: str) -> None:
        if self.content_type != kind:
            raise BadDocument(f'there is no {kind} to convert; the content is {self.content_type or "not set"}')

    def _dense_blob(self) -> Any:
        self._need('blob')
        if not isinstance(self.blob, np.ndarray):
            raise BadDocType(
                f'a sparse blob, {type(self.blob).__name__}, cannot be converted; make it an ndarray first'
            )
        return self.blob


def _decoded(data: bytes, charset: str, uri: str) -> str:
    try:
        return data.decode(charset).removeprefix('\ufeff')
    except UnicodeDecodeError as error:
        raise BadDocument(f'what is at {uri[:60]!r} is no text in {charset}: {error}') from error
    except LookupError as error:
        raise BadOption(f'there is no charset {charset!r}') from error


def _encoded(text: str, charset: str) -> bytes:
    try:
        return text.encode(charset)
    except UnicodeEncodeError as error:
        raise BadDocument(f'the text cannot be written in {charset}: {error}') from error
    except LookupError as error:
        raise BadOption(f'there is no charset {charset!r}') from error
