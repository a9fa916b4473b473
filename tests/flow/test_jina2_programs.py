"""What programs of 2021 do besides what the two documents show."""

import pytest
from ports import free_port

from jina import Client, Document, Executor, Flow, requests
from jina.excepts import FlowBuildLevelError


class Marks(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.mark = kwargs.get('mark', '!')

    @requests
    def sign(self, docs, **kwargs):
        for doc in docs:
            doc.text += self.mark


def text_of(server):
    [response] = server.post('/', Document(text='t'), return_results=True)
    return response.docs[0].text


def test_the_port_may_be_set_before_the_flow_is_opened():
    flow = Flow().add(uses=Marks)
    flow.port_expose = free_port()
    asked = flow.port_expose
    with flow:
        assert flow.port_expose == asked
        with Client(port_expose=asked) as client:
            assert text_of(client) == 't!'
        with pytest.raises(FlowBuildLevelError, match='port_expose'):
            flow.port_expose = 0


def test_a_flow_may_be_extended_as_a_copy():
    base = Flow().add(uses=Marks)
    longer = base.add(uses=Marks, uses_with={'mark': '?'}, copy_flow=True)
    waits = longer.needs_all(copy_flow=True)
    assert (base.num_pods, longer.num_pods, waits.num_pods) == (2, 3, 4)
    with base, longer:
        assert (text_of(base), text_of(longer)) == ('t!', 't!?')
    assert base.add(uses=Marks, copy_flow=False) is base


def test_an_executor_on_this_machine_runs_in_the_flow_with_an_argument_that_only_kwargs_takes():
    with Flow().add(uses=Marks, host='0.0.0.0', uses_with={'mark': '#'}) as flow:
        assert text_of(flow) == 't#'
