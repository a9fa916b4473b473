"""The search from end to end: open a Flow, index if need be, then answer in the terminal or on a page."""

import importlib.util
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jina import Document, DocumentArray, Flow
from jina.hello.search.corpus import Corpus
from jina.hello.search.executors import Encoder, Indexer

SAMPLE_QUERIES = ['read a csv file', 'compress a file', 'random sample']
PAGE = Path(__file__).parent / 'static'
NEXT = """
Next, ask something of your own, or open a page that answers as you type:

  jina hello search "convert string to lower case"
  jina hello search --serve
"""

console = Console(highlight=False)


def run(query: str | None, serve: bool, port: int | None, workspace: str | None) -> int:
    """Run the demo and return the exit code.

    :param query: what to search for; without one, three samples are answered.
    :param serve: whether to open a page for searching, until Ctrl-C, instead of answering in the terminal.
    :param port: the port of the page; the system chooses one if there is none.
    :param workspace: the folder that keeps the index.
    """
    if not importlib.util.find_spec('wordllama'):
        console.print('This demo needs a model, which comes with:  pip install wordllama', markup=False)
        return 1
    with open_flow(serve, port, workspace or default_workspace()) as flow:
        index(flow)
        if serve:
            serve_page(flow, query)
        elif query:
            answer(flow, [query], limit=10)
        else:
            answer(flow, SAMPLE_QUERIES, limit=5)
    return 0


def open_flow(serve: bool, port: int | None, workspace: str) -> Flow:
    """Join the two Executors, each in a process of its own."""
    if serve:
        flow = Flow(workspace=workspace, quiet=True, protocol='http', port_expose=port or 0, static=str(PAGE))
    else:
        flow = Flow(workspace=workspace, quiet=True)
    return flow.add(name='encoder', uses=Encoder).add(name='indexer', uses=Indexer)


def default_workspace() -> str:
    cache = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return os.path.expanduser(os.path.join(cache, 'jina-hello-search'))


def index(flow: Flow) -> None:
    """Index the standard library, unless the index that is there was made from this very one."""
    corpus = Corpus()
    if fingerprint(flow) == corpus.fingerprint:
        console.print(f'{len(corpus)} docstrings are indexed.')
        return
    console.print(f'Indexing the {len(corpus)} docstrings of the standard library …')
    flow.post('/clear', on_error=give_up)
    flow.index(corpus, show_progress=True, on_error=give_up)
    flow.post('/commit', parameters={'fingerprint': corpus.fingerprint}, on_error=give_up)


def fingerprint(flow: Flow) -> str:
    [response] = flow.post('/fingerprint', return_results=True, on_error=give_up)
    return str(response.docs[0].tags['fingerprint'])


def answer(flow: Flow, queries: list[str], limit: int) -> None:
    """Answer each query with a table, and tell what to do next."""
    docs = [Document(text=query) for query in queries]
    [response] = flow.search(docs, parameters={'limit': limit}, return_results=True, on_error=give_up)
    for doc in response.docs:
        console.print(f'\n{doc.text}', style='bold', markup=False)
        console.print(table(doc.matches))
    console.print(NEXT, markup=False)


def give_up(response: Any) -> None:
    """Without this, an error would be logged and the program would go on."""
    raise RuntimeError(response.status.description)


def table(matches: DocumentArray) -> Table:
    result = Table(box=None, pad_edge=False, expand=True)
    result.add_column('rank', justify='right')
    result.add_column('score', justify='right')
    result.add_column('name', style='cyan', no_wrap=True)
    result.add_column('documentation', no_wrap=True, ratio=1)
    for rank, match in enumerate(matches, 1):
        similarity = 1 - match.scores['cosine'].value  # the score is a distance: the nearest has the smallest
        first_line = match.text.split('\n')[0]
        result.add_row(str(rank), f'{similarity:.2f}', Text(match.tags['name']), Text(first_line))
    return result


def serve_page(flow: Flow, query: str | None) -> None:
    """Keep the Flow open for browsers until Ctrl-C."""
    start = f'?q={quote(query)}' if query else ''
    address = f'http://localhost:{flow.port_expose}/{start}'
    try:
        print(f'\nOpen {address} in your browser. Ctrl-C ends it.', flush=True)
        flow.block()
    except KeyboardInterrupt:
        pass  # it came before `block` was there to take it
    print()  # the prompt goes on a line of its own, not behind the ^C
