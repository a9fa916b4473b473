"""Where a Flow runs: scripts without a guard, REPLs, notebooks, loops, threads, packages; whatever lies around."""

import subprocess
import sys
import textwrap
import threading
from traceback import walk_stack

import pytest
from programs import until, wait_line

from jina import Document, DocumentArray, Executor, Flow, requests

EXAMPLE = """
from jina import Document, Executor, Flow, requests

class Upper(Executor):
    @requests(on='/bar')
    def foo(self, docs, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()

f = Flow().add(name='upper', uses=Upper)
with f:
    f.post(on='/bar', inputs=Document(text='hello'), on_done=lambda r: print(r.docs[0].text))

"""
OUTPUT = 'HELLO\n'


def test_script(place):
    assert place.script(EXAMPLE) == OUTPUT


def test_script_that_has_names_of_the_standard_library_beside_it(place):
    for name in ('queue', 'types', 'random', 'numpy', 'logging', 'jina_types'):
        place.write(f'{name}.py', 'raise SystemExit("the wrong module was imported")')
    script = place.write('elsewhere/program.py', EXAMPLE)  # python puts the folder of the script first, not ours
    assert place.run(script) == OUTPUT


def test_command_of_python(place):
    assert place.run('-c', EXAMPLE) == OUTPUT


def test_standard_input_of_python(place):
    process = place.start('-', stdin=subprocess.PIPE)
    out, err = process.communicate(EXAMPLE, timeout=30)
    assert (out, process.returncode) == (OUTPUT, 0), err


def test_repl(place):
    assert OUTPUT in place.run('-i', input=EXAMPLE)


def test_notebook_cell(place):
    from jupyter_client.manager import KernelManager

    manager = KernelManager()
    manager.kernel_cmd = [sys.executable, '-m', 'ipykernel_launcher', '-f', '{connection_file}']
    env = {k: v for k, v in place.env.items() if k != 'PYTHONWARNINGS'}  # ipykernel has some of its own
    manager.start_kernel(cwd=str(place.folder), env={**env, 'PYTHONFROZENMODULES': '1'})
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=30)
        assert cell(client, EXAMPLE) == OUTPUT
        assert cell(client, IN_NOTEBOOK) == '10 True\n'
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


IN_NOTEBOOK = """
import asyncio
from jina import AsyncFlow

class Bigger(Upper):  # of another cell
    @requests
    def all(self, docs, **kwargs):
        self.foo(docs)

async def async_inputs():
    for i in range(10):
        yield Document(text='a')
        await asyncio.sleep(0)

with AsyncFlow().add(uses=Bigger) as f:
    async for resp in f.post('/', async_inputs):
        print(len(resp.docs), all(d.text == 'A' for d in resp.docs))
"""


def cell(client, code):
    """Run a cell; what it prints."""
    printed = []

    def take(message):
        content = message['content']
        if message['msg_type'] == 'stream' and content['name'] == 'stdout':
            printed.append(content['text'])
        elif message['msg_type'] == 'error':
            printed.extend(content['traceback'])

    client.execute_interactive(code, timeout=30, output_hook=take)
    return ''.join(printed)


def test_tests_that_run_in_parallel(place):
    program = EXAMPLE.partition('f = Flow')[0]
    test = """
import pytest

@pytest.mark.parametrize('text', ['a', 'b'])
def test_upper(text):
    with Flow().add(uses=Upper) as f:
        [response] = f.post('/bar', Document(text=text), return_results=True)
    assert response.docs[0].text == text.upper()
"""
    place.write('test_by_xdist.py', program + test)
    with place.start('-m', 'pytest', '-n', '2', '-p', 'no:cacheprovider', 'test_by_xdist.py') as process:
        out, err = process.communicate(timeout=50)  # two Flows start at once, each under a pytest of its own
    assert '2 passed' in out, out + err


def test_running_event_loop(place):
    body = textwrap.indent(EXAMPLE, '    ')
    assert place.script(f'import asyncio\nasync def main():{body}\nasyncio.run(main())') == OUTPUT


def test_thread_and_class_nested_in_a_function(place):
    body = textwrap.indent(EXAMPLE, '    ')
    text = f'import threading\ndef main():{body}\nt = threading.Thread(target=main)\nt.start()\nt.join()'
    assert place.script(text) == OUTPUT


def test_module_of_a_package(place):
    place.write('pack/__init__.py', '')
    place.write('pack/helper.py', 'def shout(text):\n    return text.upper()\n')
    program = EXAMPLE.replace('doc.text.upper()', 'shout(doc.text)')
    place.write('pack/program.py', f'from .helper import shout\n{program}')
    assert place.run('-m', 'pack.program') == OUTPUT


def test_class_of_a_module_beside_the_script(place):
    executor, _, rest = EXAMPLE.partition('f = Flow')
    place.write('my_executors.py', executor)
    text = f'from jina import Document, Flow\nfrom my_executors import Upper\nf = Flow{rest}'
    assert place.script(text) == OUTPUT
    assert place.script(text, 'elsewhere/program.py', code=1) == ''


def test_class_of_a_module_without_a_file(place):
    place.write(
        'source.txt',
        """
        from jina import Executor, requests
        PREFIX = 'made '
        class Made(Executor):
            @requests
            def foo(self, docs, **kwargs):
                docs[0].text = PREFIX + docs[0].text
        """,
    )
    printed = place.script("""
        import sys, types
        from pathlib import Path
        from jina import Document, Flow
        module = sys.modules['made'] = types.ModuleType('made')
        exec(Path('source.txt').read_text(), module.__dict__)
        with Flow().add(uses=module.Made) as f:
            f.post('/', Document(text='by hand'), on_done=lambda r: print(r.docs[0].text))
        """)
    assert printed == 'made by hand\n'


def test_helpers_and_globals_of_the_script_travel_with_the_class(place):
    assert (
        place.script("""
        import json as j
        from dataclasses import dataclass
        from jina import Document, Executor, Flow, requests

        @dataclass
        class Point:
            x: int

        SETTINGS = {'a': Point(1)}

        def helper(text):
            return j.dumps([text, SETTINGS['a'].x])

        class Base(Executor):
            def work(self, docs):
                docs[0].text = helper(docs[0].text)

        class Derived(Base):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)

            @requests
            def foo(self, docs, **kwargs):
                super().work(docs)

        with Flow().add(uses=Derived) as f:
            f.post('/', Document(text='t'), on_done=lambda r: print(r.docs[0].text))
        """)
        == '["t", 1]\n'
    )


def test_proxies_that_do_not_answer(place):
    dead = 'http://127.0.0.1:9'
    for name in ('http_proxy', 'https_proxy', 'all_proxy', 'grpc_proxy'):
        place.env |= {name: dead, name.upper(): dead, 'no_proxy': '', 'NO_PROXY': ''}
    printed = place.script(
        EXAMPLE
        + """
from jina import Client
with f:
    with Client(port_expose=f.port_expose) as client:
        client.post('/bar', Document(text='over grpc'), on_done=lambda r: print(r.docs[0].text))
"""
    )
    assert printed == f'{OUTPUT}OVER GRPC\n'


def test_without_home_or_temporary_folder_of_its_own(place):
    place.env = {k: v for k, v in place.env.items() if k not in ('HOME', 'PATH', 'USER', 'LANG')}
    assert place.script(EXAMPLE) == OUTPUT


def test_temporary_folder_with_a_name_too_long_for_sockets(place):
    folder = place.temp / ('long' * 30)
    folder.mkdir()
    place.env['TMPDIR'] = str(folder)
    assert place.script(EXAMPLE) == OUTPUT
    assert list(folder.iterdir()) == []


def test_a_fork_of_the_program_does_not_disturb_the_flow(place):
    printed = place.script("""
        import os
        from jina import Document, Flow
        with Flow().add() as f:
            f.post('/', Document())
            if not (child := os.fork()):
                f.post('/', Document())
                os._exit(0)
            print(os.waitpid(child, 0)[1])
            print(len(f.post('/', Document(), return_results=True)[0].docs))
        """)
    assert printed == '0\n1\n'


class Upper(Executor):
    @requests
    def foo(self, docs, parameters, **kwargs):
        for doc in docs or ():
            doc.text = doc.text.upper() + str(parameters.get('end', ''))


@pytest.fixture(scope='module')
def flow():
    with Flow().add(name='upper', uses=Upper) as flow:
        yield flow


def texts(flow, *given, **options):
    [response] = flow.post('/', DocumentArray([Document(text=t) for t in given]), return_results=True, **options)
    return [doc.text for doc in response.docs]


def test_two_flows_at_once(flow):
    with Flow().add(uses=Upper) as other:
        assert other.port_expose != flow.port_expose
        assert texts(flow, 'a') == texts(other, 'a') == ['A']
    assert texts(flow, 'b') == ['B']


def test_a_flow_reopened_after_close():
    flow = Flow().add(uses=Upper)
    for _ in range(2):
        with flow:
            assert texts(flow, 'a') == ['A']
    flow.close()
    with flow.add(uses=Upper):
        assert texts(flow, 'a') == ['A']
        assert flow.num_pods == 3


def test_several_threads_post_at_a_time():
    results = {}

    def work(number):
        results[number] = [texts(flow, f'{number}.{i}', parameters={'end': number}) for i in range(50)]

    with Flow().add(uses=Upper) as flow:  # one of its own: it keeps a connection for each thread until it is closed
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert results == {n: [[f'{n}.{i}{n}'] for i in range(50)] for n in range(8)}


def test_a_callback_may_post(flow):
    seen = []

    def inner(response):
        seen.append(response.docs[0].text)

    def outer(response):
        flow.post('/', Document(text=f'{response.docs[0].text} inner'), inner)

    flow.post('/', [Document(text=str(i)) for i in range(3)], outer, request_size=1)
    assert sorted(seen) == ['0 INNER', '1 INNER', '2 INNER']


def test_a_generator_of_inputs_may_post(flow):
    def inputs():
        for i in range(3):
            yield Document(text=texts(flow, f'a{i}')[0] + 'b')

    assert [d.text for r in flow.post('/', inputs, return_results=True) for d in r.docs] == ['A0B', 'A1B', 'A2B']


def test_a_script_prints_in_its_workers_as_it_goes(place):
    """What an Executor prints is there before the answer is."""
    script = place.write(
        'program.py',
        """
        from jina import Document, Executor, Flow, requests

        class Prints(Executor):
            @requests
            def foo(self, **kwargs):
                print('printed by the executor')

        with Flow().add(uses=Prints) as f:
            f.post('/', Document())
            input()
        """,
    )
    with place.start(script, stdin=subprocess.PIPE) as process:
        wait_line(process.stdout, 'printed by the executor')
        process.communicate('\n', timeout=30)
    assert process.returncode == 0


def frame_of(thread):
    return sys._current_frames()[thread.ident]


def test_block_ends_without_an_error_when_another_thread_closes_the_flow():
    flow = Flow().add().start()
    ended = []
    waiting = threading.Thread(target=lambda: ended.append(flow.block()))
    waiting.start()
    assert until(lambda: 'block' in [frame.f_code.co_name for frame, _ in walk_stack(frame_of(waiting))])
    flow.close()
    waiting.join(20)
    assert ended == [None]


def test_a_flow_starts_where_the_program_has_closed_its_own_stream(place):
    text = "import sys\nsys.stderr.close()\nfrom jina import Flow\nwith Flow().add() as f:\n    f.post('/')\n"
    place.script(text + "print('done')\n")
    place.assert_nothing_left()


@pytest.mark.parametrize('closed', ['>&-', '2>&-', '>&- 2>&-'])
def test_a_flow_starts_without_the_standard_streams(place, closed):
    text = "import os\nfrom jina import Flow\nwith Flow().add().add() as f:\n    f.post('/')\nos.mkdir('done')\n"
    script = place.write('program.py', text)
    shell = f"import os, sys; os.execvp('sh', ['sh', '-c', '\"$0\" \"$1\" {closed}', sys.executable, {str(script)!r}])"
    place.run('-c', shell)
    assert (place.folder / 'done').exists()
    place.assert_nothing_left()
