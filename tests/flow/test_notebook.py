"""Flows in a notebook: a real kernel, and what each of its cells shows."""

import os
import re
import sys
import time
from types import SimpleNamespace

import pytest
from jupyter_client.manager import KernelManager

SECONDS = 30

SETUP = """
from jina import AsyncFlow, Document, DocumentArray, Executor, Flow, requests

class MyExec(Executor):
    @requests
    def foo(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()

    @requests(on='/slow')
    def slow(self, docs, **kwargs):
        import time
        time.sleep(0.2)

    @requests(on='/forever')
    def forever(self, **kwargs):
        import time
        print('working', flush=True)
        time.sleep(60)

    @requests(on='/fail')
    def fail(self, **kwargs):
        raise ValueError('it failed in the notebook')
"""


class Notebook:
    """A kernel that runs cells."""

    def __init__(self, folder):
        self._manager = KernelManager()
        self._manager.kernel_cmd = [sys.executable, '-m', 'ipykernel_launcher', '-f', '{connection_file}']
        unwanted = ('PYTHONWARNINGS', 'JINA_LOG_LEVEL', 'PYTEST_CURRENT_TEST')  # with the last it is no real kernel
        env = {k: v for k, v in os.environ.items() if k not in unwanted}
        self._manager.start_kernel(cwd=str(folder), env={**env, 'PYTHONFROZENMODULES': '1'})
        self.client = self._manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def cell(self, code, seen=lambda shown: None):
        """Run a cell.

        :param seen: called with what is shown, whenever that changes.
        """
        shown = SimpleNamespace(out='', err='', displays={}, updates=0, value=None, error='')

        def take(message):
            self._take(message['msg_type'], message['content'], shown)
            seen(shown)

        self.client.execute_interactive(code, timeout=SECONDS, output_hook=take)
        return shown

    def _take(self, kind, content, shown):
        if kind == 'stream':
            name = 'out' if content['name'] == 'stdout' else 'err'
            setattr(shown, name, getattr(shown, name) + content['text'])
        elif kind in ('display_data', 'update_display_data'):
            shown.displays[content['transient']['display_id']] = content['data']
            shown.updates += kind == 'update_display_data'
        elif kind == 'execute_result':
            shown.value = content['data']
        elif kind == 'error':
            shown.error = re.sub(r'\033\[[\d;]*m', '', '\n'.join(content['traceback']))

    def interrupt(self):
        self._manager.interrupt_kernel()

    def close(self):
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()


@pytest.fixture(scope='module')
def notebook(tmp_path_factory):
    notebook = Notebook(tmp_path_factory.mktemp('notebook'))
    try:
        shown = notebook.cell(SETUP)
        assert not shown.error
        yield notebook
    finally:
        notebook.close()


def test_a_class_of_a_cell(notebook):
    shown = notebook.cell("""
        with Flow().add(uses=MyExec) as f:
            f.post('/', Document(text='a'), on_done=lambda r: print(r.docs[0].text))
        """)
    assert (shown.out, shown.error) == ('A\n', '')
    assert 'Flow is ready: 1 Executor' in shown.err


def test_a_class_that_was_changed_and_run_again(notebook):
    again = "class Again(Executor):\n    @requests\n    def foo(self, docs, **kwargs):\n        docs[0].text = '{}'"
    post = "with Flow().add(uses=Again) as f:\n    print(f.post('/', Document(), return_results=True)[0].docs[0].text)"
    for version in ('first', 'second'):
        notebook.cell(again.format(version))
        assert notebook.cell(post).out == f'{version}\n'


def test_an_async_flow_with_await_at_the_top(notebook):
    shown = notebook.cell("""
        import asyncio

        async def inputs():
            for i in range(4):
                yield Document(text='a')
                await asyncio.sleep(0)

        with AsyncFlow().add(uses=MyExec) as f:
            async for response in f.post('/', inputs, request_size=2):
                print(response.docs.get_attributes('text'))
        """)
    assert (shown.out, shown.error) == ("['A', 'A']\n['A', 'A']\n", '')


def test_a_flow_that_is_open_over_several_cells(notebook):
    assert not notebook.cell('f = Flow().add(uses=MyExec).start()').error
    for text in 'abc':
        assert notebook.cell(
            f"print(f.post('/', Document(text='{text}'), return_results=True)[0].docs[0].text)"
        ).out == (f'{text.upper()}\n')
    assert not notebook.cell('f.close()').error


def test_a_flow_is_drawn_where_it_is_the_last_value(notebook):
    value = notebook.cell("Flow().add(name='encoder', uses=MyExec, replicas=3)").value
    assert 'encoder ×3' in value['image/svg+xml']


def test_progress_is_one_display_that_is_updated(notebook):
    lines = []

    def seen(shown):
        lines.extend(data['text/plain'] for data in shown.displays.values() if data['text/plain'] not in lines)

    shown = notebook.cell(
        """
        with Flow().add(uses=MyExec) as f:
            f.post('/slow', [Document() for _ in range(6)], request_size=1, show_progress=True)
        """,
        seen,
    )
    assert not shown.error
    [last] = shown.displays.values()
    assert re.fullmatch(r'✅ 6 documents in [\d.]+ s, [\d.]+ documents/s', last['text/plain'])
    assert last['text/html'] == f'<code>{last["text/plain"]}</code>'
    assert any(re.search(r'of 6 documents, 6 sent', line) for line in lines)
    assert 1 <= shown.updates <= 20
    assert 'documents/s' not in shown.err + shown.out


def test_progress_of_an_async_flow(notebook):
    shown = notebook.cell("""
        with AsyncFlow().add(uses=MyExec) as f:
            async for response in f.post('/slow', (Document() for _ in range(3)), request_size=1, show_progress=True):
                print(len(response.docs))
        """)
    assert (shown.out, shown.error) == ('1\n1\n1\n', '')
    [last] = shown.displays.values()
    assert last['text/plain'].startswith('✅ 3 documents in')


def test_an_error_in_a_cell_tells_of_the_executor(notebook):
    shown = notebook.cell("""
        with Flow().add(name='mine', uses=MyExec) as f:
            [response] = f.post('/fail', Document(), return_results=True)
            print(response.status.description)
        """)
    assert "'mine'" in shown.out
    assert 'it failed in the notebook' in shown.out


@pytest.mark.parametrize('options', ['', ', show_progress=True'])
def test_a_cell_can_be_interrupted(notebook, options):
    interrupted = []

    def interrupt(shown):
        if 'working' in shown.out and not interrupted:
            interrupted.append(time.monotonic())
            notebook.interrupt()

    shown = notebook.cell(f"with Flow().add(uses=MyExec) as f:\n    f.post('/forever', Document(){options})", interrupt)
    assert interrupted
    assert time.monotonic() - interrupted[0] < 10
    assert 'KeyboardInterrupt' in shown.error
    after = notebook.cell("""
        import threading
        print([t.name for t in threading.enumerate() if t.name.startswith('jina')])
        """)
    assert after.out == '[]\n'
