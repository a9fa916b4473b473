import pytest

from jina.looks.diagram import Diagram, Edge, Vertex, mermaid

DIAGRAM = Diagram(
    {'a': Vertex('gateway', 'grpc'), 'b': Vertex('my encoder', copies=3), 'c': Vertex('"x"; <b>#1[end')},
    [Edge('a', 'b'), Edge('b', 'c', dashed=True)],
)

TEXT = """\
flowchart LR
    n0["gateway<br/>grpc"]
    n1["my encoder ×3"]
    n2["#34;x#34;#59; #60;b#62;#35;1#91;end"]
    n0 --> n1
    n1 -.-> n2
"""


def test_mermaid():
    assert mermaid(DIAGRAM) == TEXT


def test_mermaid_from_top_to_bottom():
    assert mermaid(DIAGRAM, vertical=True) == TEXT.replace('LR', 'TB')


@pytest.mark.parametrize(('copies', 'label'), [(1, 'a'), (2, 'a ×2')])
def test_a_label_says_how_many_there_are(copies, label):
    assert Vertex('a', copies=copies).label == label
