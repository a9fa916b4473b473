"""Small images of Documents that hold one, through Pillow where it is installed."""

from base64 import b64encode
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import numpy as np

from jina.looks.words import Array

if TYPE_CHECKING:
    from jina.types.document import Document

LARGEST_FILE = 32 << 20
MOST_PIXELS = 64_000_000
SMALLEST_SIDE = 4


def thumbnail(doc: 'Document', size: int) -> Array | None:
    """Return the image that a Document holds as uint8 RGBA of at most ``size`` × ``size``, or None.

    An image is a blob of uint8 (height, width) or (height, width, 1, 3 or 4), or a buffer or uri with the mime type of
    one. Nothing is fetched over a network, and what cannot be read as an image is none.
    """
    source = _source(doc, size)
    return _reduced(source, size) if source is not None and find_spec('PIL') else None


def data_uri(image: Array) -> str:
    """Return an image as PNG in a data URI."""
    from PIL import Image

    out = BytesIO()
    Image.fromarray(image).save(out, 'PNG')
    return f'data:image/png;base64,{b64encode(out.getvalue()).decode()}'


def _source(doc: 'Document', size: int) -> Array | bytes | None:
    blob = doc.blob
    if blob is not None:
        return _pixels(blob, size)
    if not doc.mime_type.startswith('image/'):
        return None
    return doc.buffer or (_read(doc.uri) if doc.uri else None)


def _pixels(blob: Any, size: int) -> Array | None:
    if not isinstance(blob, np.ndarray) or blob.dtype != np.uint8 or blob.ndim not in (2, 3):
        return None
    if min(blob.shape[:2]) < SMALLEST_SIDE or blob.shape[2:] not in ((), (1,), (3,), (4,)):
        return None
    # Of a large image some pixels are enough: it must not be copied as a whole.
    step = max(max(blob.shape[:2]) // (2 * size), 1)
    pixels = blob[::step, ::step]
    return np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2:] == (1,) else pixels)


def _read(uri: str) -> bytes | None:
    if uri.startswith('data:'):
        return _decoded(uri)
    path = Path(urlsplit(uri).path if uri.startswith('file:') else uri)
    try:
        # A device or a pipe could be read for ever.
        return path.read_bytes() if path.is_file() and path.stat().st_size <= LARGEST_FILE else None
    except (OSError, ValueError):
        return None


def _decoded(uri: str) -> bytes | None:
    from binascii import Error, a2b_base64

    head, _, data = uri.partition(',')
    try:
        content = unquote_to_bytes(data)
        return a2b_base64(content) if head.endswith(';base64') else content
    except Error:
        return None


def _reduced(source: Array | bytes, size: int) -> Array | None:
    from PIL import Image

    try:
        image = Image.fromarray(source) if isinstance(source, np.ndarray) else Image.open(BytesIO(source))
        if image.width * image.height > MOST_PIXELS:
            return None
        image.draft('RGB', (size, size))  # a JPEG is then decoded at about this size
        reduced = image.convert('RGBA')
        reduced.thumbnail((size, size))
        return np.asarray(reduced)
    except Exception:  # whatever its decoders raise at bytes from anywhere: a look must not fail
        return None
