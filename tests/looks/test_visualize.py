import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from jina.excepts import BadOption
from jina.looks.visualize import colouring_of
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document

GLOBAL = """
import matplotlib
before = matplotlib.rcParams.copy()
from jina import Document, DocumentArray
DocumentArray([Document(embedding=[n, 1, 2]) for n in range(3)]).visualize()
import sys
assert 'matplotlib.pyplot' not in sys.modules
assert before == matplotlib.rcParams.copy()
"""


@pytest.fixture
def docs():
    rng = np.random.default_rng(0)
    tags = [{'label': ['cat', 'dog', '_bird'][n % 3], 'price': n / 2, 'group': n % 3, 'only': 1} for n in range(30)]
    tags[7].pop('only')
    return DocumentArray([Document(embedding=rng.normal(size=8), tags=t) for t in tags])


def colours(picture):
    with Image.open(io.BytesIO(picture)) as image:
        return {colour for _, colour in image.convert('RGB').getcolors(1_000_000)}


def test_it_is_a_picture(docs):
    picture = docs.visualize()
    assert repr(picture) == '<Png 960×720>'
    assert len(colours(picture)) > 10


@pytest.mark.parametrize(
    ('suffix', 'begin'), [('png', b'\x89PNG'), ('svg', b'<?xml'), ('jpg', b'\xff\xd8'), ('pdf', b'%PDF')]
)
def test_it_is_written(docs, tmp_path, suffix, begin):
    docs.visualize(str(tmp_path / f'd.{suffix}'))
    assert (tmp_path / f'd.{suffix}').read_bytes().startswith(begin)


@pytest.mark.parametrize('tag', ['label', 'price', 'group', 'only'])
def test_it_is_coloured(docs, tag):
    assert docs.visualize(colored_tag=tag) != docs.visualize()


def test_the_method_is_heeded(docs):
    assert docs.visualize(method='tsne', title='') != docs.visualize(method='pca', title='')


def test_title_axis_and_colormap_are_heeded(docs):
    pictures = [docs.visualize(title='', colored_tag='label')]
    pictures.append(docs.visualize(title='$x$ 日本', colored_tag='label'))
    pictures.append(docs.visualize(title='', colored_tag='label', show_axis=True))
    pictures.append(docs.visualize(title='', colored_tag='label', colormap='viridis'))
    assert len(set(map(bytes, pictures))) == 4


def test_images_stand_in_place_of_points(docs):
    for doc in docs[:10]:
        doc.blob = np.full((20, 20, 3), (200, 0, 200), 'u1')
    assert (200, 0, 200) in colours(docs.visualize(image_sprites=True))
    assert (200, 0, 200) not in colours(docs.visualize())


@pytest.mark.parametrize('count', [1, 2])
@pytest.mark.parametrize('method', ['pca', 'tsne'])
def test_few_documents(count, method):
    docs = DocumentArray([Document(embedding=[n, 1.0]) for n in range(count)])
    assert docs.visualize(method=method)


def test_sparse_embeddings():
    sparse = pytest.importorskip('scipy.sparse')
    docs = DocumentArray([Document(embedding=sparse.csr_matrix([[n, 0, 1]])) for n in range(5)])
    dense = DocumentArray([Document(embedding=[n, 0, 1]) for n in range(5)])
    assert docs.visualize() == dense.visualize()


def test_numbers_are_measured_and_names_are_grouped(docs):
    assert colouring_of(docs, 'price').values[:3] == [0.0, 0.5, 1.0]
    assert colouring_of(docs, 'group').values[:3] == ['0', '1', '2']
    assert colouring_of(docs, 'label').values[:3] == ['cat', 'dog', '_bird']
    assert colouring_of(docs, 'only').values[6:8] == ['1', None]
    many = DocumentArray([Document(tags={'n': n}) for n in range(11)])
    assert colouring_of(many, 'n').values[3] == 3.0


@pytest.mark.parametrize(
    ('options', 'told'),
    [
        ({'method': 'umap'}, "method is 'pca' or 'tsne', not 'umap'"),
        ({'colored_tag': 'lable'}, "no Document has the tag 'lable'; tags here are: label, price, group, only"),
        ({'colormap': 'virids'}, "matplotlib has no colormap 'virids': did you mean 'viridis'?"),
        ({'output': 'd.txt'}, r"output='d.txt' does not end in a format that can be drawn: .svg, .png"),
    ],
)
def test_options_that_make_no_sense(docs, options, told):
    with pytest.raises(BadOption) as raised:
        docs.visualize(**options)
    assert told in str(raised.value)


def test_missing_embeddings(docs):
    docs.append(Document(id='bare'))
    with pytest.raises(ValueError, match="Document 'bare' has no embedding"):
        docs.visualize()
    with pytest.raises(ValueError, match='an empty DocumentArray has no embeddings'):
        DocumentArray().visualize()


def test_without_matplotlib(docs, monkeypatch):
    monkeypatch.delitem(sys.modules, 'jina.looks.figures', raising=False)
    monkeypatch.setitem(sys.modules, 'matplotlib', None)
    with pytest.raises(ImportError, match='pip install matplotlib'):
        docs.visualize()


def test_nothing_global_is_touched():
    subprocess.run([sys.executable, '-W', 'error', '-c', GLOBAL], check=True, timeout=50)
