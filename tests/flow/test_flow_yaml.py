"""Flows as YAML: tags, methods, open files; opened as programs do."""

EXECUTORS = """
from jina import Executor, requests

class Say(Executor):
    def __init__(self, text='', **kwargs):
        super().__init__(**kwargs)
        self.text = text

    @requests
    def say(self, docs, **kwargs):
        for doc in docs:
            doc.text += self.text

class Count(Executor):
    @requests
    def count(self, docs, **kwargs):
        docs[0].text += str(len(docs))
"""

FLOW = """
!Flow
version: '1'
with:
  name: tagged
executors:
  - uses: !Say
      with: {text: a}
      py_modules: executors.py
  - uses: sayer.yml
    name: b
    needs: gateway
  - method: inspect
    name: look
    uses: !Say {with: {text: x}, py_modules: executors.py}
  - method: needs_all
    uses: Count
    py_modules: executors.py
"""

PROGRAM = """
from io import StringIO
from pathlib import Path
from jina import Document, Executor, Flow

def run(flow):
    with flow:
        flow.post('/', Document(), on_done=lambda r: print(r.docs[0].text))

with open('sub/flow.yml') as file:
    run(Flow.load_config(file))
run(Flow.load_config(Path('sub/flow.yml')))
run(Flow().add(uses=Path('sub/sayer.yml')))
run(Flow().add(uses='sub/sayer.yml', uses_after='!Say {with: {text: c}, py_modules: sub/executors.py}'))
run(Flow.load_config(StringIO('!Flow {executors: [{uses: sub/sayer.yml}, {method: needs_all}]}')))
with open('sub/sayer.yml', 'rb') as file:
    print(Executor.load_config(file).text)
print(Executor.load_config(StringIO('!Say {with: {text: d}}')).text)
"""


def test_a_flow_of_tags_and_methods_runs_from_a_path_a_file_and_memory(place):
    place.write('sub/executors.py', EXECUTORS)
    place.write('sub/sayer.yml', '!Say\nwith: {text: b}\nmetas: {py_modules: [executors.py]}')
    place.write('sub/flow.yml', FLOW)
    assert place.script(PROGRAM).split() == ['a2', 'a2', 'b', 'bc', 'b', 'b', 'd']
