import math

import msgspec
import numpy as np
import pytest

from jina.excepts import BadDocType
from jina.types.arrays import DocumentArray
from jina.types.document import Document
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


def test_asking_for_an_absent_name_makes_a_score():
    doc = Document()
    doc.scores['x'].value = 0.5
    doc.evaluations['recall'].op_name = 'r'
    assert doc.scores == {'x': NamedScore(0.5)}
    assert Document(doc.json()).evaluations == {'recall': NamedScore(op_name='r')}


@pytest.mark.parametrize(
    'look',
    [
        lambda scores: 'x' in scores,
        lambda scores: scores.get('x'),
        lambda scores: scores.get('x', default=None),
        lambda scores: scores.pop('x', None),
        lambda scores: list(scores),
        lambda scores: scores == {'x': NamedScore()},
        lambda scores: 'x' in scores.keys(),  # noqa: SIM118  a view has a way of its own to look
        lambda scores: ('x', NamedScore()) in scores.items(),
        lambda scores: NamedScore() in scores.values(),
    ],
)
def test_nothing_else_makes_one(look):
    owned = {}
    assert not look(NamedScoreMapping(owned))
    assert owned == {}


def test_an_absent_score_cannot_be_removed():
    owned = {}
    with pytest.raises(KeyError):
        NamedScoreMapping(owned).pop('x')
    with pytest.raises(KeyError):
        del NamedScoreMapping(owned)['x']
    assert owned == {}


def test_setdefault():
    scores = NamedScoreMapping({'a': NamedScore(1.0)})
    assert scores.setdefault('a', 2) == NamedScore(1.0)
    assert scores.setdefault('b', 2) == NamedScore(2.0)
    assert scores.setdefault('c') == NamedScore()
    assert scores == {'a': NamedScore(1.0), 'b': NamedScore(2.0), 'c': NamedScore()}


def test_what_is_there_is_removed_and_returned():
    owned = {'a': NamedScore(1.0)}
    assert NamedScoreMapping(owned).pop('a') == NamedScore(1.0)
    assert owned == {}


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_a_score_that_json_has_no_number_for_comes_back(tmp_path, value):
    doc = Document(weight=value, tags={'none': None, 'of': [value]})
    doc.scores['cosine'] = NamedScore(value, operands=[NamedScore(1.0)])
    doc.evaluations['recall'] = value
    DocumentArray([doc]).save(tmp_path / 'f.json')
    [again] = DocumentArray.load(tmp_path / 'f.json')
    read = [again.scores['cosine'].value, again.evaluations['recall'].value, again.weight, float(again.tags['of'][0])]
    np.testing.assert_equal(read, [value] * 4)
    assert again.tags['none'] is None


def test_a_score_that_is_null_is_no_number():
    assert math.isnan(Document({'scores': {'a': {'value': None}}}).scores['a'].value)
    assert math.isnan(Document('{"scores": {"a": null}}').scores['a'].value)
