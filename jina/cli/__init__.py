"""The command line: arguments → spec → call. No logic of the system lives here; a command is a file."""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; ``sys.argv`` by default.

    :return: the exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[1:2] == ['--control']:  # a child of a Flow: nothing may be loaded that it does not need
        return _child(arguments[0], int(arguments[2]))
    from jina.cli.run import run

    return run(arguments)


def _child(kind: str, descriptor: int) -> int:
    if kind == 'zygote':
        from jina.launch.forking import serve

        return serve(descriptor)
    from jina.launch.child import run_process

    return run_process(kind, descriptor)
