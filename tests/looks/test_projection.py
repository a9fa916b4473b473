import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from jina.excepts import BadOption
from jina.looks.projection import projected

numbers = st.floats(-1e6, 1e6)


@given(arrays('f8', array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8), elements=numbers))
def test_pca_gives_the_plane_in_which_they_differ_most(vectors):
    points = projected(vectors, 'pca')
    assert points.shape == (len(vectors), 2)
    lengths = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)[:2]
    spread = np.sqrt((points**2).sum(axis=0))
    np.testing.assert_allclose(spread[: len(lengths)], lengths, atol=1e-3)


def test_pca_is_the_same_for_the_same():
    vectors = np.random.default_rng(0).normal(size=(50, 8))
    np.testing.assert_array_equal(projected(vectors, 'pca'), projected(vectors.copy(), 'pca'))
    # Which way an axis points does not depend on chance.
    np.testing.assert_allclose(projected(vectors, 'pca'), projected(vectors[::-1], 'pca')[::-1], atol=1e-9)


def test_points_in_a_plane_stay_as_they_are():
    points = np.array([[0.0, 0], [4, 0], [0, 1], [4, 1]])
    projection = projected(points, 'pca')
    np.testing.assert_allclose(projection, points - points.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize('count', [1, 2, 3, 4, 5, 40])
def test_tsne_of_few_and_many(count):
    pytest.importorskip('sklearn')
    points = projected(np.random.default_rng(0).normal(size=(count, 6)), 'tsne')
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()


def test_tsne_keeps_near_ones_near():
    pytest.importorskip('sklearn')
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 30)
    points = projected(rng.normal(size=(60, 8)) + 50 * groups[:, None], 'tsne')
    centres = [points[groups == group].mean(axis=0) for group in (0, 1)]
    nearest = [int(np.linalg.norm(point - centres[1]) < np.linalg.norm(point - centres[0])) for point in points]
    assert nearest == groups.tolist()


@pytest.mark.parametrize('vectors', [np.zeros((5, 3)), np.ones((6, 1))])
def test_tsne_of_equal_vectors(vectors):
    pytest.importorskip('sklearn')
    assert np.isfinite(projected(vectors, 'tsne')).all()


def test_integers_and_booleans_are_numbers():
    assert projected(np.eye(3, dtype=bool), 'pca').shape == projected(np.eye(3, dtype=int), 'pca').shape == (3, 2)


@pytest.mark.parametrize('vectors', [np.array([[np.nan, 1]]), np.array([[np.inf, 1]]), np.ones((2, 2), complex)])
def test_what_has_no_place_is_refused(vectors):
    with pytest.raises(ValueError, match='no place in a plane'):
        projected(vectors, 'pca')


def test_an_unknown_method_is_refused():
    with pytest.raises(BadOption, match="method is 'pca' or 'tsne', not 'umap'"):
        projected(np.eye(3), 'umap')


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sklearn.manifold', None)
    with pytest.raises(ImportError, match='needs scikit-learn: pip install scikit-learn'):
        projected(np.eye(5), 'tsne')
    assert projected(np.eye(5), 'pca').shape == (5, 2)
