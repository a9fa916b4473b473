import base64

import numpy as np
import pytest

from jina.excepts import BadDocType, BadDocument
from jina.types.ndarray import array_from_dict, array_to_dict, as_array


@pytest.mark.parametrize(
    ('value', 'dtype', 'shape'),
    [
        ([1, 2], 'i8', (2,)),
        ([[1.0], [2.0]], 'f8', (2, 1)),
        ((True, False), '?', (2,)),
        (3.5, 'f8', ()),
        (np.float32(1), 'f4', ()),
        (range(3), 'i8', (3,)),
        ([], 'f8', (0,)),
        (np.ma.array([1, 2]), 'i8', (2,)),
    ],
)
def test_what_becomes_an_array(value, dtype, shape):
    array = as_array(value, 'x')
    assert type(array) is np.ndarray
    assert (array.dtype, array.shape) == (np.dtype(dtype), shape)


def test_arrays_are_not_copied():
    array = np.zeros(3)
    assert as_array(array, 'x') is array


def test_objects_with_an_array():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return np.arange(3.0)

    assert as_array(Tensor(), 'x').tolist() == [0, 1, 2]


@pytest.mark.parametrize('value', ['x', b'x', {'a': 1}, {1}, [[1], [1, 2]], [None], ['a'], object(), np.array(['a'])])
def test_what_does_not(value):
    with pytest.raises(BadDocType, match=r'^Document\.blob takes an'):
        as_array(value, 'Document.blob')


@pytest.mark.parametrize(
    'array',
    [
        np.arange(6, dtype='>i4').reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(10, dtype='f2')[::3],
        np.array(1 + 2j),
        np.zeros((0, 5), '?'),
    ],
)
def test_round_trip(array):
    written = array_to_dict(array)
    for obj in (written, written['dense']):
        again = array_from_dict(obj)
        assert np.array_equal(again, array)
        assert (again.dtype, again.shape) == (array.dtype, array.shape)
        assert again.flags.writeable


def test_names_of_dtypes():
    obj = {'buffer': base64.b64encode(bytes(8)).decode(), 'shape': [2], 'dtype': 'float32'}
    assert array_from_dict(obj).tolist() == [0, 0]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'shape': [3]}, 'do not fill'),
        ({'shape': [-1]}, 'a shape'),
        ({'shape': 2}, 'a shape'),
        ({'shape': [True]}, 'a shape'),
        ({'shape': [2**40, 2**40]}, 'do not fill'),
        ({'shape': [2**70, 0], 'buffer': ''}, 'no array has the shape'),
        ({'shape': [1] * 100 + [2]}, 'no array has the shape'),
        ({'dtype': 'O'}, 'unknown dtype'),
        ({'dtype': 'float3'}, 'unknown dtype'),
        ({'dtype': 5}, 'unknown dtype'),
        ({'buffer': '?'}, 'not base64'),
        ({'buffer': 5}, 'not base64'),
    ],
)
def test_malformed(change, message):
    obj = {'buffer': 'AAAAAAAAAAA=', 'shape': [2], 'dtype': '<f4'} | change
    with pytest.raises(BadDocument, match=message):
        array_from_dict(obj)


@pytest.mark.parametrize('obj', [None, 5, [], {}, {'dense': 5}, {'buffer': '', 'shape': []}, {'sparse': {}}])
def test_no_array(obj):
    with pytest.raises(BadDocument, match='an array is'):
        array_from_dict(obj)
