"""Vectors as points of a plane."""

import numpy as np

from jina.excepts import BadOption
from jina.looks.words import Array

METHODS = ('pca', 'tsne')
PERPLEXITY = 30.0


def projected(vectors: Array, method: str) -> Array:
    """Return a point (x, y) for each of the vectors (n, d), in float64.

    :param method: ``pca``, the plane in which they differ most; ``tsne``, where near ones stay near.
    :raises BadOption: for another method.
    :raises ValueError: when a value is not finite, or no real number.
    :raises ImportError: when tsne is asked for without scikit-learn.
    """
    if method not in METHODS:
        raise BadOption(f'method is {" or ".join(map(repr, METHODS))}, not {method!r}')
    if vectors.dtype.kind == 'c' or not np.isfinite(vectors).all():
        raise ValueError('embeddings that are complex, infinite or NaN have no place in a plane')
    vectors = vectors.astype(np.float64)
    # tsne moves points away from each other, for which it needs some.
    return _pca(vectors) if method == 'pca' or len(vectors) < 4 else _tsne(vectors)


def _pca(vectors: Array) -> Array:
    centred = vectors - vectors.mean(axis=0)
    # R of QR has the same right singular vectors as the whole, and at most d rows.
    _, _, axes = np.linalg.svd(np.linalg.qr(centred, mode='r'), full_matrices=False)
    points = centred @ axes[:2].T
    points *= _signs(axes[:2])
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))


def _signs(axes: Array) -> Array:
    """Return by what each axis is multiplied so that its largest entry is positive: it could as well point back."""
    largest = np.abs(axes).argmax(axis=1)
    return np.where(axes[range(len(axes)), largest] < 0, -1.0, 1.0)


def _tsne(vectors: Array) -> Array:
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise ImportError("method='tsne' needs scikit-learn: pip install scikit-learn") from error
    start = _pca(vectors)
    # Spread as scikit-learn's own start is; the first axis decides, and may be a single point.
    scale = start[:, 0].std() or 1.0
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init=start / scale * 1e-4, random_state=0)
    points: Array = tsne.fit_transform(vectors)
    return points.astype(np.float64)
