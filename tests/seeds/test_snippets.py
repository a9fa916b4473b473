"""The snippets of the two seed documents, as plain scripts: no guard, what they print is what they say."""

import signal

import pytest
from programs import free_port, interrupt, wait_line

MY_EXECUTOR = """
from jina import Flow, Document, Executor, requests


class MyExecutor(Executor):

    @requests(on='/bar')
    def foo(self, docs, **kwargs):
        print(docs)

"""


def test_flow_minimum_working_example(place):
    printed = place.script(
        MY_EXECUTOR
        + """
f = Flow().add(name='myexec1', uses=MyExecutor)

with f:
    f.post(on='/bar', inputs=Document(), on_done=print)
"""
    )
    assert '<jina.types.arrays.document.DocumentArray length=1 at ' in printed
    assert '<jina.types.request.Response request_id=' in printed
    assert "header={'exec_endpoint': '/bar'}" in printed
    assert "'pod': 'myexec1'" in printed


def test_flow_server_and_client(place):
    port = free_port()
    server = place.write(
        'server.py',
        MY_EXECUTOR
        + f"""
f = Flow(port_expose={port}).add(name='myexec1', uses=MyExecutor)

with f:
    f.block()
""",
    )
    client = f"""
        from jina import Client, Document

        c = Client(port_expose={port})
        c.post(on='/bar', inputs=Document(), on_done=print)
        """
    with place.start(server) as process:
        wait_line(process.stderr, f'GRPC .*:{port}')
        assert '<jina.types.request.Response request_id=' in place.script(client, 'client.py')
        wait_line(process.stdout, 'DocumentArray length=1')
        assert interrupt(process, signal.SIGINT) < 4
    assert process.returncode == 0


def test_flow_from_yaml(place):
    place.write(
        'my.yml',
        """
        jtype: Flow
        executors:
          - name: myexec1
            uses: MyExecutor
        """,
    )
    printed = place.script(
        MY_EXECUTOR
        + """
f = Flow.load_config('my.yml')

with f:
    f.post(on='/bar', inputs=Document(), on_done=print)
"""
    )
    assert 'DocumentArray length=1' in printed
    assert "'pod': 'myexec1'" in printed


def test_flow_empty_and_chained(place):
    place.script("""
        from jina import Flow

        f = Flow()

        with f:
            ...

        f = Flow().add().add().add().add()

        with f:
            ...
        """)


@pytest.fixture
def my_exec(place):
    """The files myexec.py and myexec.yml."""
    place.write(
        'myexec.py',
        """
        from jina import Executor


        class MyExecutor(Executor):

            def __init__(self, bar):
                super().__init__()
                self.bar = bar

            def foo(self, **kwargs):
                print('bar is', self.bar, 'in', self.metas.name)
        """,
    )
    place.write(
        'myexec.yml',
        """
        jtype: MyExecutor
        with:
          bar: 123
        metas:
          name: awesomeness
          description: my first awesome executor
          py_modules: myexec.py
        requests:
          /random_work: foo
        """,
    )
    return place


def test_executor_from_yaml_file_with_py_modules(my_exec):
    printed = my_exec.script("""
        from jina import Flow

        f = Flow().add(uses='myexec.yml')

        with f:
            f.post('/random_work')
        """)
    assert printed == 'bar is 123 in awesomeness\n'


def test_executor_from_inline_yaml_and_from_dict(my_exec):
    printed = my_exec.script("""
        from jina import Flow
        from myexec import MyExecutor

        f = (Flow()
             .add(uses='''
        jtype: MyExecutor
        with:
          bar: 123
        metas:
          name: awesomeness
          description: my first awesome executor
        requests:
          /random_work: foo
            '''))

        with f:
            f.post('/random_work')

        f = Flow().add(
            uses={
                'jtype': 'MyExecutor',
                'with': {'bar': 456}
            })

        with f:
            f.post('/', on_done=lambda r: print('code', r.status.code))
        """)
    assert 'bar is 123 in awesomeness' in printed
    assert 'code 0' in printed


def test_needs(place):
    printed = place.script("""
        from jina import Document, Flow

        f = (Flow()
             .add(name='p1', needs='gateway')
             .add(name='p2', needs='gateway')
             .add(name='p3', needs='gateway')
             .needs(['p1', 'p2', 'p3'], name='r1'))

        with f:
            print(len(f.post('/', Document(), return_results=True)[0].docs))

        f = (Flow()
             .add(name='p1', needs='gateway')
             .add(name='p2', needs='gateway')
             .add(name='p3', needs='gateway')
             .needs_all())

        with f:
            print(len(f.post('/', Document(), return_results=True)[0].docs))
        """)
    assert printed == '3\n3\n'


def test_inputs(place):
    printed = place.script("""
        from jina import Flow, DocumentArray, Document

        d1 = Document(content='hello')
        d2 = Document(content='world')


        def doc_gen():
            for j in range(10):
                yield Document(content=f'hello {j}')


        def show(response):
            print([d.text for d in response.docs])

        with Flow() as f:
            f.post('/', d1, show)  # Single document
            f.post('/', [d1, d2], show)  # a list of Document
            f.post('/', doc_gen, show)  # Document generator
            f.post('/', DocumentArray([d1, d2]), show)  # DocumentArray
            f.post('/', on_done=show)  # empty
        """)
    tens = [f'hello {j}' for j in range(10)]
    shown = ['hello'], ['hello', 'world'], tens, ['hello', 'world'], []
    assert printed.splitlines() == [str(texts) for texts in shown]


def test_callbacks(place):
    printed = place.script("""
        from jina import Document, Flow


        def beep(*args):
            # make a beep sound
            import sys
            sys.stdout.write('\\a')


        with Flow().add() as f, open('output.txt', 'w') as fp:
            f.post('/',
                   Document(text='saved'),
                   on_done=print,
                   on_error=beep,
                   on_always=lambda x: x.docs.save(fp))
        """)
    assert '<jina.types.request.Response' in printed
    assert '\a' not in printed
    assert '"text": "saved"' in (place.folder / 'output.txt').read_text().replace('":"', '": "')


def test_parameters(place):
    printed = place.script("""
        from jina import Document, Executor, Flow, requests


        class MyExecutor(Executor):

            @requests
            def foo(self, parameters, **kwargs):
                print(parameters['hello'])


        f = Flow().add(uses=MyExecutor)

        with f:
            f.post('/', Document(), parameters={'hello': 'world'})
            f.post('/', parameters={'hello': 'world'})
        """)
    assert printed == 'world\nworld\n'


def test_request_size_progress_and_results(place):
    printed = place.script("""
        from jina import Flow, Document

        f = Flow()

        with f:
            f.post('/', (Document() for _ in range(100)), request_size=10)
            f.post('/', (Document() for _ in range(100)), request_size=10, show_progress=True)
            all_responses = f.post('/', (Document() for _ in range(100)), request_size=10, return_results=True)
            print(all_responses)
        """)
    assert printed.count('<jina.types.request.Response request_id=') == 10
    assert printed.count("{'id': ") == 100
    assert '100 documents in' in printed.err


def test_async_flow(place):
    printed = place.script("""
        import asyncio

        from jina import AsyncFlow, Document, Flow

        assert isinstance(Flow(asyncio=True), AsyncFlow)


        async def async_inputs():
            for _ in range(10):
                yield Document()
                await asyncio.sleep(0.01)


        async def main():
            with AsyncFlow().add() as f:
                async for resp in f.post('/', async_inputs):
                    print(resp)

        asyncio.run(main())
        """)
    assert printed.count('<jina.types.request.Response request_id=') == 1
    assert printed.count("{'id': ") == 10


def test_async_flow_beside_other_work(place):
    printed = place.script("""
        import time
        import asyncio

        from jina import AsyncFlow, Executor, requests


        class HeavyWork(Executor):

            @requests
            def foo(self, **kwargs):
                time.sleep(1)


        async def run_async_flow_1s():
            with AsyncFlow().add(uses=HeavyWork) as f:
                async for resp in f.post('/'):
                    print('flow done', resp.status)


        async def heavylifting():
            print('heavylifting other io-bound jobs, e.g. download, upload, file io')
            await asyncio.sleep(0.5)
            print('heavylifting done after 0.5s')


        async def concurrent_main():
            await asyncio.gather(run_async_flow_1s(), heavylifting())


        if __name__ == '__main__':
            asyncio.run(concurrent_main())
        """)
    lines = [line.split()[0:2] for line in printed.splitlines()]
    assert lines == [['heavylifting', 'other'], ['heavylifting', 'done'], ['flow', 'done']]


JOINING = """
from jina import Executor, requests, Flow, Document


class C(Executor):

    @requests
    def foo(self, docs, **kwargs):
        # 6 docs
        {c}


class B(Executor):

    @requests
    def foo(self, docs, **kwargs):
        # 3 docs
        for idx, d in enumerate(docs):
            d.text = f'hello {{idx}}'


class A(Executor):

    @requests
    def A(self, docs, **kwargs):
        # 3 docs
        for idx, d in enumerate(docs):
            d.text = f'world {{idx}}'


f = Flow().add(uses=A).add(uses=B, needs='gateway').add(uses=C, needs=['pod0', 'pod1'])

with f:
    f.post(on='/some_endpoint',
           inputs=[Document() for _ in range(3)],
           on_done=lambda r: print([d.text for d in r.docs]))
"""


@pytest.mark.parametrize(
    ('c', 'end'),
    [
        ('return docs', ''),
        ("""for d in docs:
            d.text += '!!!'
        return docs""", '!!!'),
    ],
)  # fmt: skip
def test_joining(place, c, end):
    printed = place.script(JOINING.format(c=c))
    texts = [f'{word} {i}{end}' for word in ('world', 'hello') for i in range(3)]
    assert printed == f'{texts}\n'


def test_executor_minimum_working_example(place):
    printed = place.script("""
        from jina import Document, Executor, Flow, requests


        class MyExecutor(Executor):

            @requests
            def foo(self, **kwargs):
                print(kwargs)


        f = Flow().add(uses=MyExecutor)

        with f:
            f.post(on='/random_work', inputs=Document(), on_done=print)

        m = MyExecutor()
        m.foo()
        """)
    assert "{'docs': <jina.types.arrays.document.DocumentArray length=1 at " in printed
    assert "'parameters': {}, 'docs_matrix': None, 'groundtruths': None, 'groundtruths_matrix': None}" in printed
    assert printed.splitlines()[-1] == '{}'


def test_executor_arguments(place):
    place.write(
        'my-exec.yml',
        """
        jtype: MyExecutor
        with:
          foo: hello
          bar: 1
        """,
    )
    printed = place.script("""
        from jina import Executor, Flow


        class MyExecutor(Executor):

            def __init__(self, foo: str, bar: int, **kwargs):
                super().__init__(**kwargs)
                self.bar = bar
                self.foo = foo
                print(foo, bar + 1, self.runtime_args.name)

        f = Flow().add(uses=MyExecutor, uses_with={'foo': 'hello', 'bar': 1})

        with f:
            ...

        f = Flow().add(uses='my-exec.yml', uses_with={'bar': 5})

        with f:
            ...
        """)
    assert printed == 'hello 2 pod0\nhello 6 pod0\n'


def test_endpoints(place):
    printed = place.script("""
        from jina import Executor, Flow, Document, requests


        class MyExecutor(Executor):

            @requests(on='/index')
            def foo(self, **kwargs):
                print(f'foo is called: {kwargs["docs"][0].text}')

            @requests(on='/random_work')
            def bar(self, **kwargs):
                print(f'bar is called: {kwargs["docs"][0].text}')


        f = Flow().add(uses=MyExecutor)

        with f:
            f.post(on='/index', inputs=Document(text='index'))
            f.post(on='/random_work', inputs=Document(text='random_work'))
            f.post(on='/blah', inputs=Document(text='blah'))
        """)
    assert printed == 'foo is called: index\nbar is called: random_work\n'


def test_bindings(place):
    printed = place.script("""
        from jina import Document, Executor, Flow, requests


        class Default(Executor):

            @requests
            def foo(self, **kwargs):
                print('default')

            @requests(on='/index')
            def bar(self, **kwargs):
                print('index')


        class Multiple(Executor):

            @requests(on=['/foo', '/bar'])
            def foo(self, **kwargs):
                print('multiple')


        class Nothing(Executor):

            def foo(self, **kwargs):
                print('never')


        with Flow().add(uses=Default).add(uses=Multiple).add(uses=Nothing) as f:
            for endpoint in ('/blah', '/index', '/foo', '/bar'):
                f.post(endpoint, Document(text='same'), on_done=lambda r: print(r.docs[0].text))
        """)
    shown = [*('default', 'same'), *('index', 'same'), *('default', 'multiple', 'same') * 2]
    assert printed.split() == shown


def test_arguments_of_methods(place):
    printed = place.script("""
        from jina import Document, Executor, Flow, requests


        class MyExecutor(Executor):

            @requests
            def foo_using_docs_arg(self, docs, **kwargs):
                print(docs)

            @requests
            def foo_using_docs_parameters_arg(self, docs, parameters, **kwargs):
                print(docs)
                print(parameters)

            @requests
            def foo_using_no_arg(self, **kwargs):
                # the args are suppressed into kwargs
                print(kwargs['docs_matrix'])


        with Flow().add(uses=MyExecutor) as f:
            f.post('/', Document())
        """)
    assert printed == 'None\n'


def test_embedding_documents_in_place(place):
    place.write(
        'my_model.py',
        """
        from types import SimpleNamespace


        def get_predict_model():
            return SimpleNamespace(predict=lambda blobs: blobs.sum(axis=-1, keepdims=True))
        """,
    )
    printed = place.script("""
        import numpy as np
        from jina import requests, Document, Executor, DocumentArray, Flow

        from my_model import get_predict_model


        class PNEncoder(Executor):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.model = get_predict_model()

            @requests
            def encode(self, docs: DocumentArray, *args, **kwargs) -> None:
                _blob, _docs = docs.traverse_flat(['c']).get_attributes_with_docs('blob')
                embeds = self.model.predict(np.stack(_blob))
                for d, b in zip(_docs, embeds):
                    d.embedding = b


        doc = Document(chunks=[Document(blob=np.array([1.0, 2.0])), Document(blob=np.array([3.0, 4.0]))])
        with Flow().add(uses=PNEncoder) as f:
            f.index(doc, on_done=lambda r: print([c.embedding.tolist() for c in r.docs[0].chunks]))
        """)
    assert printed == '[[3.0], [7.0]]\n'


def test_preserving_ids_only(place):
    printed = place.script("""
        from jina import requests, Document, Executor, DocumentArray, Flow


        class MyIndexer(Executor):
            \"\"\"Simple indexer class \"\"\"

            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self._docs = DocumentArray()

            @requests(on='/index')
            def index(self, docs: DocumentArray, **kwargs):
                self._docs.extend(docs)
                return DocumentArray([Document(id=d.id) for d in docs])


        with Flow().add(uses=MyIndexer) as f:
            f.index([Document(id='a', text='x'), Document(id='b', text='y')], on_done=lambda r: print(
                [(d.id, d.text) for d in r.docs]))
        """)
    assert printed == "[('a', ''), ('b', '')]\n"
