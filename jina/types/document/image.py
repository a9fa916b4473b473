"""Images as arrays and back. The only file that imports Pillow."""

import io
from typing import Any

import numpy as np

from jina.excepts import BadDocument, BadOption
from jina.types.ndarray import Array
from jina.types.shorten import shorten

__all__ = ['decode_image', 'encode_png']

MAX_PIXELS = 1 << 28


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('images need Pillow, which is not installed: pip install pillow') from error
    return Image


def decode_image(data: bytes, size: tuple[int | None, int | None], color_axis: int, resize_method: str) -> Array:
    """Return the red, green and blue of an image file, 0 to 255, as float32 of shape (height, width, 3).

    :param size: width and height to resize it to; one of them alone keeps the proportions.
    :param color_axis: where the axis of 3 goes.
    :raises BadDocument: when it is no image that Pillow reads, or a larger one than is reasonable.
    """
    pillow = _pillow()
    method = _method(pillow, resize_method)
    try:
        with pillow.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f'{image.width} × {image.height} pixels are too many')
            pixels = _resized(image.convert('RGB'), size, method)
    except (OSError, ValueError, SyntaxError, EOFError, pillow.DecompressionBombError) as error:
        raise BadDocument(f'not an image: {error}') from error
    return np.moveaxis(np.asarray(pixels, np.float32), -1, _axis(color_axis))


def encode_png(array: Array, size: tuple[int | None, int | None], color_axis: int, resize_method: str) -> bytes:
    """Return the PNG of an array of shape (height, width), with a third axis of 1, 3 or 4 for colours.

    :param size: width and height to resize it to. They are also the shape of an array that is flat.
    :param color_axis: where the axis of colours is.
    :raises BadDocument: when the array is no image.
    """
    pillow = _pillow()
    method = _method(pillow, resize_method)
    image = pillow.fromarray(_as_bytes(_arranged(array, size, _axis(color_axis))))
    written = io.BytesIO()
    _resized(image, size, method).save(written, 'PNG')
    return written.getvalue()


def _method(pillow: Any, name: str) -> Any:
    method = getattr(pillow.Resampling, str(name).upper(), None)
    if method is None:
        known = ', '.join(sorted(pillow.Resampling.__members__))
        raise BadOption(f'there is no resize_method {name!r}; known are {known}')
    return method


def _axis(color_axis: int) -> int:
    if color_axis not in (-3, -2, -1, 0, 1, 2):
        raise BadOption(f'color_axis is one of the three axes of an image, -3 to 2, not {color_axis!r}')
    return color_axis


def _resized(image: Any, size: tuple[int | None, int | None], method: Any) -> Any:
    width, height = size
    if any(side is not None and not 0 < side <= MAX_PIXELS // 2**10 for side in size):
        raise BadOption(f'width and height are positive numbers of pixels, not {size}')
    if width is None:
        width = image.width if height is None else max(1, round(image.width * height / image.height))
    if height is None:
        height = max(1, round(image.height * width / image.width))
    return image if (width, height) == image.size else image.resize((width, height), method)


def _arranged(array: Array, size: tuple[int | None, int | None], color_axis: int) -> Array:
    """Return the array in the form that Pillow takes: (height, width) or (height, width, 3 or 4)."""
    shape, (width, height) = array.shape, size
    if array.ndim == 1 and width and height and array.size and array.size % (width * height) == 0:
        colors = array.size // (width * height)
        array = array.reshape(height, width, colors)
    elif array.ndim == 3:
        array = np.moveaxis(array, color_axis, -1)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,), (4,)) or not array.size:
        raise BadDocument(f'an array of shape {shorten(shape)} is no image: wanted is (height, width[, 1, 3 or 4])')
    return array


def _as_bytes(array: Array) -> Array:
    if array.dtype.kind == 'c':
        raise BadDocument('an array of complex numbers is no image')
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    # Not a number becomes black rather than anything.
    return np.clip(np.nan_to_num(array.astype(np.float64), posinf=255), 0, 255).astype(np.uint8)
