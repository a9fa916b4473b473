import pytest

from jina.excepts import FlowTopologyError
from jina.spec import ExecutorSpec, FlowSpec
from jina.topology import graph_of, stations


def flow(*executors, **options):
    return FlowSpec(executors=[ExecutorSpec.from_dict(e) for e in executors], **options)


def needs(*executors):
    return {s.node.name: s.node.needs for s in stations(flow(*executors))}


def test_what_works_before_and_after_the_replicas_is_a_node_of_its_own():
    assert needs(
        {'name': 'a', 'needs': 'gateway', 'uses_before': 'X', 'uses_after': 'Y'},
        {'name': 'b', 'needs': ['a', 'gateway']},
    ) == {'a/before': ['gateway'], 'a': ['a/before'], 'a/after': ['a'], 'b': ['a/after', 'gateway']}


def test_only_the_executor_itself_has_its_replicas_and_arguments():
    [before, itself, after] = stations(
        flow(
            {
                'name': 'a',
                'needs': 'gateway',
                'uses': 'X',
                'uses_before': 'B',
                'uses_after': 'C',
                'replicas': 3,
                'polling': 'ALL',
                'uses_with': {'x': 1},
                'py_modules': 'x.py',
            }
        )
    )
    assert [(s.node.replicas, s.node.polling) for s in (before, itself, after)] == [(1, 'ANY'), (3, 'ALL'), (1, 'ANY')]
    assert [s.executor.uses for s in (before, itself, after)] == ['B', 'X', 'C']
    assert [s.executor.uses_with for s in (before, itself, after)] == [{}, {'x': 1}, {}]
    assert {s.executor.py_modules for s in (before, itself, after)} == {'x.py'}
    assert {s.node.part_of for s in (before, itself, after)} == {'a'}


def test_an_external_one_has_an_address_and_only_what_is_before_it_is_started():
    [before, itself] = stations(
        flow({'name': 'a', 'needs': 'gateway', 'uses_before': 'B', 'external': True, 'host': 'there:12'})
    )
    assert (before.node.addresses, itself.node.addresses) == ([], ['tcp:there:12'])


@pytest.mark.parametrize(
    ('of_executor', 'of_flow', 'valid'),
    [(None, 'THROW_EARLY', 'THROW_EARLY'), (None, 'IGNORE', 'IGNORE'), ('IGNORE', 'THROW_EARLY', 'IGNORE')],
)
def test_an_executor_says_what_becomes_of_errors_else_the_flow_does(of_executor, of_flow, valid):
    spec = FlowSpec(
        executors=[ExecutorSpec(name='a', needs='gateway', on_error_strategy=of_executor)], on_error_strategy=of_flow
    )
    assert [s.node.on_error for s in stations(spec)] == [valid]


def test_one_that_only_looks_is_not_the_end():
    graph = graph_of(
        flow({'name': 'a', 'needs': 'gateway'}, {'name': 'look', 'needs': 'a', 'inspect': True, 'uses_after': 'X'})
    )
    assert (graph.end, graph.hanging, graph.decisive) == ('a', (), {'gateway', 'a'})


def test_nobody_may_need_one_that_only_looks():
    with pytest.raises(FlowTopologyError, match="'b' needs 'look', which only looks"):
        graph_of(flow({'name': 'look', 'needs': 'gateway', 'inspect': True}, {'name': 'b', 'needs': 'look'}))
