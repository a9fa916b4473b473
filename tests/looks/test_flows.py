from itertools import pairwise
from xml.etree import ElementTree

import pytest

from jina import AsyncFlow, Executor, Flow
from jina.excepts import BadOption
from jina.looks.flows import ANSWER, diagram_of, used
from jina.spec import ExecutorSpec, FlowSpec

SVG = '{http://www.w3.org/2000/svg}'


class MyEncoder(Executor):
    pass


def texts(svg):
    return [text.text for text in ElementTree.fromstring(svg).iter(f'{SVG}text')]


def test_a_plot_is_written_and_the_flow_goes_on(tmp_path):
    flow = Flow().add(name='encoder', uses=MyEncoder).plot(str(tmp_path / 'f.svg')).add()
    assert flow.num_pods == 3
    assert texts((tmp_path / 'f.svg').read_text()) == ['gateway', 'grpc', 'encoder', 'MyEncoder', 'gateway', 'answer']


def test_the_plot_of_the_seeds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    f = Flow().add().plot('f.svg')
    assert isinstance(f, Flow)
    assert 'pod0' in (tmp_path / 'f.svg').read_text()


def test_a_notebook_shows_it_by_itself():
    assert 'pod0' in texts(Flow().add()._repr_svg_())
    assert texts(AsyncFlow()._repr_svg_()) == ['gateway', 'grpc', 'gateway', 'answer']


def test_mermaid(tmp_path):
    Flow().add(name='a').plot(tmp_path / 'f.mmd', vertical_layout=True)
    assert (tmp_path / 'f.mmd').read_text() == (
        'flowchart TB\n    n0["gateway<br/>grpc"]\n    n1["a"]\n    n2["gateway<br/>answer"]\n'
        '    n0 --> n1\n    n1 --> n2\n'
    )


def test_branches_and_joins():
    flow = Flow(protocol=['grpc', 'http']).add(name='a').add(name='b', needs='gateway').needs(['a', 'b'], name='c')
    diagram = diagram_of(flow._spec, 'c')
    assert diagram.vertices['gateway'].detail == 'grpc, http'
    pairs = [('gateway', 'a'), ('gateway', 'b'), ('a', 'c'), ('b', 'c'), ('c', ANSWER)]
    assert [edge[:2] for edge in diagram.edges] == pairs


def test_a_flow_without_executors_answers_itself():
    assert [edge[:2] for edge in diagram_of(FlowSpec(), 'gateway').edges] == [('gateway', ANSWER)]


def boxes(*executors):
    """The boxes of a Flow, as (label, detail, kind), and its arrows as pairs of titles."""
    specs = [ExecutorSpec(**{'needs': 'gateway', **options}) for options in executors]
    diagram = diagram_of(FlowSpec(executors=specs), specs[-1].name)
    shown = [(v.label, v.detail, v.kind) for v in diagram.vertices.values()]
    title = {key: v.title for key, v in diagram.vertices.items()}
    return shown[1:-1], [(title[e.source], title[e.target], e.dashed) for e in diagram.edges]


@pytest.mark.parametrize(
    ('options', 'shown'),
    [
        ({'replicas': 3}, ('a ×3', '', 'executor')),
        ({'replicas': 3, 'polling': 'ALL'}, ('a ×3', 'polling ALL', 'executor')),
        ({'replicas': 2, 'polling': 'ALL_ASYNC', 'uses': 'E'}, ('a ×2', 'E, polling ALL_ASYNC', 'executor')),
        ({'polling': 'ALL'}, ('a', '', 'executor')),
        ({'external': True, 'host': 'gpu:1', 'uses': 'E'}, ('a', 'runs at gpu:1', 'external')),
    ],
)
def test_what_is_said_of_an_executor(options, shown):
    assert boxes({'name': 'a', **options})[0] == [shown]


def test_what_works_before_and_after_the_replicas_is_on_the_way():
    shown, arrows = boxes(
        {'name': 'a', 'uses_before': 'Split', 'replicas': 2, 'uses_after': {'jtype': 'Merge'}},
        {'name': 'b', 'needs': 'a'},
    )
    assert shown[0] == ('Split', 'before a', 'part')
    assert shown[2] == ('Merge', 'after a', 'part')
    way = ['gateway', 'Split', 'a', 'Merge', 'b', 'gateway']
    assert sorted(arrows) == sorted((one, other, False) for one, other in pairwise(way))


def test_the_answer_comes_out_of_what_works_after_the_replicas():
    assert ('Merge', 'gateway', False) in boxes({'name': 'a', 'uses_after': 'Merge'})[1]


def test_one_that_only_looks_hangs_on_a_dashed_arrow():
    shown, arrows = boxes({'name': 'a'}, {'name': 'look', 'needs': 'a', 'inspect': True}, {'name': 'b', 'needs': 'a'})
    assert shown[1] == ('look', 'only looks', 'inspect')
    assert ('a', 'look', True) in arrows
    assert not any(source == 'look' for source, *_ in arrows)


@pytest.mark.parametrize(
    ('uses', 'shown'),
    [
        ('MyEncoder', 'MyEncoder'),
        ('folder/encoder.yml', 'encoder.yml'),
        ('docker://me/image:1', 'docker://me/image:1'),
        ('jtype: Inline\nwith: {a: 1}', 'Inline'),
        ('{jtype: Inline}', 'Inline'),
        ('\n  jtype: Inline\n', 'Inline'),
        ({'jtype': 'FromDict'}, 'FromDict'),
        ({}, ''),
    ],
)
def test_what_an_executor_uses_in_a_word(uses, shown):
    assert used(uses) == shown


def test_one_that_passes_all_on_has_only_a_name():
    assert diagram_of(FlowSpec(executors=[ExecutorSpec(name='a', needs='gateway')]), 'a').vertices['a'].detail == ''


def test_long_names_are_cut():
    name = 'x' * 100
    spec = FlowSpec(executors=[ExecutorSpec(name=name, needs='gateway')])
    assert len(diagram_of(spec, name).vertices[name].title) == 28


@pytest.mark.parametrize('output', ['f.gif', 'f', ''])
def test_a_format_that_is_not_known_is_refused(output):
    with pytest.raises(BadOption, match=r'does not end in a format that can be drawn: \.svg, \.mmd, \.png'):
        Flow().plot(output)
