"""How it is said that requests share calls."""

import pytest

from jina import Executor, Flow, requests
from jina.excepts import BadOption, ExecutorFailToLoad
from jina.executors import handlers
from jina.spec import BatchingSpec, ExecutorSpec


class Encoder(Executor):
    @requests(on=['/a', '/b'], batch=8, wait=2.5)
    def encode(self, **kwargs):
        """Bound twice."""

    @requests
    def default(self, **kwargs):
        """Bound to the others."""


def of(executor, **batching):
    """(batch, wait) of each endpoint."""
    table = handlers(executor, {f'/{name}': BatchingSpec(**options) for name, options in batching.items()})
    return {e: h.batching and (h.batching.batch, h.batching.wait) for e, h in table.items()}


def test_the_decorator_says_it_for_all_endpoints_of_its_method():
    assert of(Encoder()) == {'/a': (8, 2.5), '/b': (8, 2.5), '/default': None}


def test_a_method_bound_by_config_is_the_same_method():
    assert of(Encoder(requests={'/c': 'encode'}))['/c'] == (8, 2.5)


def test_a_method_that_overrides_it_says_it_itself():
    class Child(Encoder):
        def encode(self, **kwargs):
            """Not declared."""

    assert of(Child())['/a'] is None


def test_the_spec_goes_first_and_one_document_a_call_is_none():
    said = of(Encoder(), a={'batch': 2}, b={'batch': 1}, default={'batch': 3, 'wait': 1})
    assert said == {'/a': (2, 0), '/b': None, '/default': (3, 1)}


def test_an_endpoint_that_nothing_is_bound_to_is_refused():
    with pytest.raises(ExecutorFailToLoad, match=r"Encoder binds nothing to '/defalt'.*did you mean '/default'\?"):
        of(Encoder(), defalt={'batch': 2})


@pytest.mark.parametrize(
    ('options', 'told'),
    [
        ({'wait': 5}, r'@requests\(wait=5\) needs batch='),
        ({'batch': 0}, '@requests: batch=0: it takes 1 or more'),
        ({'batch': 'x'}, "@requests: option batch='x': Expected int"),
        ({'batch': 4, 'wait': -1}, 'wait=-1.0: it takes milliseconds, 0 or more'),
        ({'batch': 4, 'wait': float('nan')}, 'wait=nan'),
        ({'batch': 4, 'wait': float('inf')}, 'wait=inf'),
        ({'batch': 4, 'wait': '5'}, "option wait='5': Expected float"),
    ],
)
def test_options_that_make_no_sense_are_refused_where_they_are_given(options, told):
    with pytest.raises(BadOption, match=told):
        requests(on='/x', **options)


@pytest.mark.parametrize('batching', [{'/x': {'batch': 0}}, {'/x': 5}, {'/x': {'wait': 5}}, {'/x': {'bach': 5}}, 5])
def test_the_spec_refuses_them_too_and_names_the_option(batching):
    with pytest.raises(BadOption, match='option batching='):
        Flow().add(batching=batching)


def test_a_flow_keeps_it_in_yaml(tmp_path):
    flow = Flow().add(name='a', batching={'/x': {'batch': 5, 'wait': 2}})
    flow.save_config(str(tmp_path / 'flow.yml'))
    [spec] = Flow.load_config(str(tmp_path / 'flow.yml'))._spec.executors
    assert spec.batching == {'/x': BatchingSpec(batch=5, wait=2.0)}


def test_it_travels_as_plain_values():
    spec = ExecutorSpec.from_dict({'name': 'a', 'batching': {'/x': {'batch': 5}}})
    assert spec.to_dict() == {'name': 'a', 'batching': {'/x': {'batch': 5}}}
    assert ExecutorSpec.from_dict(spec.to_dict()) == spec
