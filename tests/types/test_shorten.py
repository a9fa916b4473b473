"""How values are shown in errors."""

import numpy as np

from jina.types.shorten import shorten


def test_an_array_is_shown_by_its_shape_and_dtype_also_inside_of_others():
    array = np.zeros((1000, 3), 'float32')
    assert shorten(array) == 'ndarray((1000, 3), float32)'
    assert shorten({'a': [array]}) == "{'a': [ndarray((1000, 3), float32)]}"


def test_long_values_are_cut():
    assert len(shorten('x' * 1000)) <= 60
    assert len(shorten(list(range(1000)))) <= 60
