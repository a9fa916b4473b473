"""Whatever the graph, the documents that come back are those that a loop over its nodes gives, in the same order."""

from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from jina import Document, DocumentArray, Executor, Flow, requests

MOST_NODES, MOST_DOCUMENTS = 12, 3000
EXAMPLES = {'THREAD': 30, 'PROCESS': 3}


class Writes(Executor):
    """Adds its name to every document: in place, or in documents of its own."""

    def __init__(self, anew=False, **kwargs):
        super().__init__(**kwargs)
        self.anew = anew

    @requests
    def write(self, docs, **kwargs):
        texts = [f'{doc.text}{self.runtime_args.name},' for doc in docs]
        written = DocumentArray(Document(text=text) for text in texts) if self.anew else docs
        for doc, text in zip(written, texts, strict=True):
            doc.text = text
        return written if self.anew else None


class Node(NamedTuple):
    name: str
    needs: list[str]
    replicas: int
    polling: str
    anew: bool


def oracle(nodes, texts):
    out = {'gateway': texts}
    for node in nodes:
        arrived = [text for name in node.needs for text in out[name]]
        assume(len(arrived) <= MOST_DOCUMENTS)
        times = node.replicas if node.polling == 'ALL' else 1
        out[node.name] = [f'{text}{node.name},' for text in arrived] * times
    return out[nodes[-1].name]


@st.composite
def graphs(draw):
    nodes = []
    for number in range(draw(st.integers(1, MOST_NODES))):
        known = ['gateway', *(node.name for node in nodes)]
        needs = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
        polling = draw(st.sampled_from(['ANY', 'ALL', 'ALL_ASYNC']))
        nodes.append(Node(f'n{number}', needs, draw(st.integers(1, 2)), polling, draw(st.booleans())))
    return nodes


def answers(nodes, inputs, backend):
    flow = Flow(quiet=True)
    for node in nodes:
        flow.add(
            name=node.name, needs=node.needs, uses=Writes, replicas=node.replicas, polling=node.polling,
            uses_with={'anew': node.anew}, runtime_backend=backend,
        )  # fmt: skip
    with flow as f:
        responses = f.post('/', [Document(text=text) for text in inputs], request_size=2, return_results=True)
    assert [r.status.description for r in responses] == [''] * len(responses)
    return [[doc.text for doc in response.docs] for response in responses]


@pytest.mark.timeout(240)
@pytest.mark.parametrize('backend', EXAMPLES)
def test_any_graph_gives_what_a_loop_gives(backend):
    @settings(
        max_examples=EXAMPLES[backend], deadline=None, derandomize=True, phases=(Phase.generate,),
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )  # fmt: skip
    @given(graphs(), st.integers(1, 5))
    def check(nodes, count):
        inputs = [f'{n}:' for n in range(count)]
        wanted = [oracle(nodes, inputs[i : i + 2]) for i in range(0, count, 2)]
        assert answers(nodes, inputs, backend) == wanted

    check()
