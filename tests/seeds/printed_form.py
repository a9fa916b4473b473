"""What ``print(response)`` prints, read back."""

import re
from ast import literal_eval
from typing import Any, NamedTuple

RESPONSE = re.compile(
    r'<jina\.types\.request\.Response request_id=(\w+) data=({.*?}) header=({.*?}) '
    r'routes=(\[.*?\]) status=({.*?}) at \d+>'
)
"""Its parameters, where it has any, would stand between header and routes."""


class Shown(NamedTuple):
    """A Response as it was printed."""

    request_id: str
    data: dict[str, Any]
    header: dict[str, str]
    routes: list[dict[str, str]]
    status: dict[str, Any]

    @property
    def texts(self) -> list[str]:
        return [doc.get('text', '') for doc in self.data['docs']]

    @property
    def pods(self) -> list[str]:
        return [route['pod'] for route in self.routes]


def responses(printed: str) -> list[Shown]:
    """The Responses among what a program printed; each has the form that the seed shows."""
    found = [Shown(request_id, *map(literal_eval, rest)) for request_id, *rest in RESPONSE.findall(printed)]
    assert len(found) == printed.count('types.request.Response'), 'one of them has another form'
    for shown in found:
        assert all(doc['id'] for doc in shown.data['docs'])
        assert all(route['pod_id'] and route['start_time'].endswith('Z') for route in shown.routes)
    return found
