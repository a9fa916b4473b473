"""`jina hello search`: a semantic search of Python's standard library.

`corpus.py` collects the Documents, `executors.py` encodes and finds them, `app.py` joins it all in a Flow.
"""


def main(query: str | None = None, serve: bool = False, port: int | None = None, workspace: str | None = None) -> int:
    """Run the demo and return the exit code; `app.py` tells what the arguments mean."""
    from jina.hello.search.app import run  # only now: the processes of the Executors do not need it

    return run(query, serve, port, workspace)
