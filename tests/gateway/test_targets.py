"""What `target_peapod` means, whoever sends it: an answer, or a refusal, in time."""

import contextlib
import re
import subprocess
import sys
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jina.gateway.targets import REMEMBERED, BadTarget, Targets

NAMES = ('encoder', 'e' * 28, 'pod0', 'pod1', 'pod10', '')
PARTS = ('pod', 'e', 'enc', '.', 'd$', '^', '[0-9]', '[^e]', '(e|p)', '(?!pod)', '(?i:E)', r'\d', r'\w', '(?<=p)o', '')
COUNTS = ('', '*', '+', '?', '*?', '{2}', '{1,3}', '{,4}')


@st.composite
def patterns(draw):
    parts = draw(st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from(COUNTS)), max_size=5))
    return draw(st.sampled_from(['', '|'])).join(part + count for part, count in parts)


@given(patterns())
def test_the_library_answers_as_the_standard_one_does(pattern):
    try:
        expected = {name for name in NAMES if re.match(pattern, name)}
    except re.error:
        assume(False)
    assert Targets(NAMES).named(pattern) == expected


@pytest.mark.filterwarnings('ignore:Possible nested set:FutureWarning')
@given(st.text('\\.^$*+?{}[]|()xRfiLPp<>=!:&#-, 019e\n', max_size=12))
def test_whatever_is_sent_is_answered_or_refused(target):
    targets = Targets(NAMES)
    with contextlib.suppress(BadTarget):
        assert targets.named(target) <= set(NAMES)


@pytest.mark.parametrize('target', ['((.?){18})*x', '((.?){18})*[xy]', '(e+)+x', '(e|ee)*x'])
def test_what_keeps_the_standard_library_busy_for_years_is_answered(target):
    began = time.process_time()
    assert Targets(['encoder', 'e' * 28]).named(target) == frozenset()
    assert time.process_time() - began < 1


@pytest.mark.parametrize('target', ['(e|ee)*[xy]', '(e|ee)*(?!e)x?[^e]', r'(?:(e|ee)+)+\d'])
def test_a_match_that_would_take_years_is_refused(target):
    targets = Targets(['e' * 2800])
    began = time.process_time()
    with pytest.raises(BadTarget, match='too long to match: write it more simply'):
        targets.named(target)
    assert time.process_time() - began < 2
    refused = time.process_time()
    with pytest.raises(BadTarget, match='too long to match'):
        targets.named(target)
    assert time.process_time() - refused < 0.05, 'it is known by now'


@pytest.mark.parametrize(
    ('target', 'why'),
    [
        ('(', 'is no regular expression: missing'),
        ('a{999999999999999}', 'repeats too much'),
        ('[ab]{1000000}', 'repeats too much'),
        ('(?:(?:a{999}){999}){999}', 'repeats too much'),
        ('(?x)[ab]{1 0 0 0 0 0 0}', "'\\(\\?x' is not taken"),
        ('(?i-x:a)', 'is not taken'),
        ('(?if)[\0-\uffff]', 'is not taken'),
        ('(?R)?a', 'is not taken'),
        ('(a)(?1)', 'is not taken'),
        ('(' * 400 + ')' * 400, 'is no regular expression'),
        ('.' * 100_000, r"'\.{40}'… has 100,000 characters, of 1,000 at the most"),
        ('e' * 1001, 'has 1,001 characters'),
    ],
)
def test_what_cannot_be_compiled_in_time_and_memory(target, why):
    began = time.process_time()
    with pytest.raises(BadTarget, match=why):
        Targets(NAMES).named(target)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    'target', ['(((a{1,1000}){1,1000}){1,1000})', r'pod\d{1,10}', 'a{0,1000000}', '(?P<prefix>e)nc']
)
def test_what_only_looks_costly_is_taken(target):
    assert Targets(NAMES).named(target) == {name for name in NAMES if re.match(target, name)}


def test_what_is_remembered_is_bounded():
    targets = Targets(NAMES)
    for i in range(REMEMBERED + 10):
        targets.named(f'pod{i}')
        targets.named(f'^pod{i}')
    assert len(targets._found) <= REMEMBERED


def test_the_beginning_of_a_name_needs_no_library():
    program = """
import sys
from jina.gateway.targets import Targets
targets = Targets(['pod0', 'pod1', 'encoder'])
assert targets.named('pod') == {'pod0', 'pod1'}
assert 'regex' not in sys.modules
assert targets.named('pod.$') == {'pod0', 'pod1'}
assert 'regex' in sys.modules
"""
    subprocess.run([sys.executable, '-c', program], check=True, timeout=50)
