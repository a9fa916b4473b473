import io
import sys
from base64 import b64decode, b64encode

import numpy as np
import pytest
from PIL import Image

from jina.looks import thumbnail as module
from jina.looks.thumbnail import data_uri, thumbnail
from jina.types.document import Document

RED = (255, 0, 0, 255)


def encoded(file_format='PNG', size=(40, 20), colour='red'):
    out = io.BytesIO()
    Image.new('RGB', size, colour).save(out, file_format)
    return out.getvalue()


def red(shape):
    return np.broadcast_to(np.array([255, 0, 0], 'u1'), shape)


@pytest.mark.parametrize(
    'blob',
    [red((20, 40, 3)), red((2000, 4000, 3)), np.dstack([red((20, 40, 3)), np.full((20, 40, 1), 255, 'u1')])],
)
def test_a_blob(blob):
    image = thumbnail(Document(blob=blob), 16)
    assert image.shape == (8, 16, 4)
    assert (image == RED).all()


@pytest.mark.parametrize('shape', [(20, 40), (20, 40, 1)])
def test_a_grey_blob(shape):
    image = thumbnail(Document(blob=np.full(shape, 7, 'u1')), 16)
    assert (image == (7, 7, 7, 255)).all()


@pytest.mark.parametrize(
    'blob',
    [
        np.zeros((20, 40, 3)),
        np.zeros(9, 'u1'),
        np.zeros((3, 20, 40), 'u1'),
        np.zeros((1, 40), 'u1'),
        np.zeros((0, 9), 'u1'),
    ],
)
def test_a_blob_that_is_no_image(blob):
    assert thumbnail(Document(blob=blob), 16) is None


@pytest.mark.parametrize('file_format', ['PNG', 'JPEG', 'GIF', 'WEBP'])
def test_a_buffer(file_format):
    doc = Document(buffer=encoded(file_format), mime_type=f'image/{file_format.lower()}')
    image = thumbnail(doc, 16)
    assert image.shape == (8, 16, 4)
    assert np.abs(image.astype(int) - RED).max() < 8


def test_a_path(tmp_path):
    (tmp_path / 'a.png').write_bytes(encoded())
    for uri in (str(tmp_path / 'a.png'), (tmp_path / 'a.png').as_uri()):
        assert thumbnail(Document(uri=uri), 16).shape == (8, 16, 4)


@pytest.mark.parametrize('head', ['data:image/png;base64', 'data:image/png;x=y;base64'])
def test_a_data_uri(head):
    doc = Document(uri=f'{head},{b64encode(encoded()).decode()}', mime_type='image/png')
    assert thumbnail(doc, 16).shape == (8, 16, 4)


NO_IMAGES = {
    'nothing': Document(),
    'text': Document(text='hello'),
    'image without its type': Document(buffer=encoded()),
    'other bytes': Document(buffer=b'no image', mime_type='image/png'),
    'half an image': Document(buffer=encoded()[:40], mime_type='image/png'),
    'missing file': Document(uri='missing.png'),
    'device': Document(uri='/dev/zero', mime_type='image/png'),
    'no path': Document(uri='\x00.png', mime_type='image/png'),
    'far away': Document(uri='https://example.com/a.png'),
    'bad data': Document(uri='data:image/png;base64,…', mime_type='image/png'),
    'no data': Document(uri='data:image/png', mime_type='image/png'),
}


@pytest.mark.parametrize('doc', NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_is_no_image_has_no_thumbnail(doc):
    assert thumbnail(doc, 16) is None


def test_an_image_that_would_take_much_memory_is_left_out(monkeypatch):
    doc = Document(buffer=encoded(size=(100, 100)), mime_type='image/png')
    monkeypatch.setattr(module, 'MOST_PIXELS', 9_999)
    assert thumbnail(doc, 16) is None


def test_a_large_file_is_left_out(monkeypatch, tmp_path):
    (tmp_path / 'a.png').write_bytes(encoded())
    monkeypatch.setattr(module, 'LARGEST_FILE', 10)
    assert thumbnail(Document(uri=str(tmp_path / 'a.png')), 16) is None


def test_without_pillow_there_are_none(monkeypatch):
    monkeypatch.setitem(sys.modules, 'PIL', None)
    assert thumbnail(Document(blob=red((20, 40, 3))), 16) is None
    assert '<img' not in Document(blob=red((20, 40, 3)))._repr_html_()


def test_a_data_uri_is_a_png():
    head, _, data = data_uri(np.full((2, 3, 4), 255, 'u1')).partition(',')
    assert head == 'data:image/png;base64'
    assert Image.open(io.BytesIO(b64decode(data))).size == (3, 2)
