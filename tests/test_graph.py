import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import FlowTopologyError
from jina.graph import GATEWAY, Graph

names = st.sampled_from('abcdef')
needs_of = st.lists(st.sampled_from([GATEWAY, *'abcdef']), min_size=1, max_size=3, unique=True)


def test_an_empty_graph_ends_where_it_begins():
    graph = Graph({})
    assert (graph.order, graph.end, graph.next, graph.hanging) == ((), GATEWAY, {GATEWAY: ()}, ())


def test_a_chain():
    graph = Graph({'a': [GATEWAY], 'b': ['a'], 'c': ['b']})
    assert graph.order == ('a', 'b', 'c')
    assert graph.end == 'c'
    assert graph.next == {GATEWAY: ('a',), 'a': ('b',), 'b': ('c',), 'c': ()}


def test_the_end_is_the_one_added_last_and_others_without_followers_hang():
    graph = Graph({'a': [GATEWAY], 'b': [GATEWAY], 'c': [GATEWAY]})
    assert (graph.end, graph.hanging) == ('c', ('a', 'b'))


def test_one_may_need_who_is_added_later():
    assert Graph({'a': ['b'], 'b': [GATEWAY]}).order == ('b', 'a')


@pytest.mark.parametrize(
    ('needs', 'told'),
    [
        ({'a': []}, "Executor 'a' needs nothing: nothing would ever reach it"),
        ({'first': [GATEWAY], 'b': ['frist']}, "needs 'frist', which is not in this Flow: did you mean 'first'?"),
        ({'a': ['zzz']}, "Executor 'a' needs 'zzz', which is not in this Flow; it has: "),
        ({'a': ['a']}, 'need each other in a circle: a → a'),
        ({'a': ['b', GATEWAY], 'b': ['a']}, 'need each other in a circle'),
    ],
)
def test_what_cannot_be_is_refused_by_name(needs, told):
    with pytest.raises(FlowTopologyError) as raised:
        Graph(needs)
    assert told in str(raised.value)


def has_cycle(needs):
    """By brute force: cut off what needs nothing any more until nothing is left."""
    left = {name: set(wanted) - {GATEWAY} for name, wanted in needs.items()}
    while free := [name for name, wanted in left.items() if not wanted & set(left)]:
        for name in free:
            del left[name]
    return bool(left)


@given(st.dictionaries(names, needs_of, max_size=6))
def test_any_graph_is_ordered_or_refused_for_a_reason(needs):
    unknown = any(n not in needs and n != GATEWAY for wanted in needs.values() for n in wanted)
    try:
        graph = Graph(needs)
    except FlowTopologyError:
        assert unknown or has_cycle(needs)
        return
    assert not unknown
    assert not has_cycle(needs)
    assert sorted(graph.order) == sorted(needs)
    seen = {GATEWAY}
    for name in graph.order:
        assert set(graph.needs[name]) <= seen
        seen.add(name)
    for name, followers in graph.next.items():
        assert list(followers) == [other for other in needs if name in needs[other]]
