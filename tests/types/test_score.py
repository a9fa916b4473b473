import msgspec
import numpy as np
import pytest

from jina.excepts import BadDocType
from jina.types.score import NamedScore
from jina.types.score.map import NamedScoreMapping


def test_defaults():
    score = NamedScore()
    assert (score.value, score.op_name, score.description, score.operands, score.ref_id) == (0.0, '', '', None, '')


def test_wire_names():
    assert msgspec.json.encode(NamedScore(0.5, 'x', ref_id='y')) == b'{"value":0.5,"opName":"x","refId":"y"}'


@pytest.mark.parametrize('number', [1, 0.5, np.float32(0.5), np.int8(1), True])
def test_numbers_become_scores(number):
    scores = NamedScoreMapping({})
    scores['a'] = number
    assert type(scores['a'].value) is float
    assert scores['a'].value == number


def test_it_reads_and_writes_the_dict():
    owned = {'a': NamedScore(1.0)}
    scores = NamedScoreMapping(owned)
    scores.update(b=2)
    del scores['a']
    assert owned == {'b': NamedScore(2.0)}
    assert dict(scores) == owned
    assert scores == owned
    assert 'NamedScore' in repr(scores)


def test_other_values_are_refused():
    with pytest.raises(BadDocType, match=r"scores\['a'\] takes a number or NamedScore, not str"):
        NamedScoreMapping({})['a'] = 'x'
