"""The code blocks of the Executor seed, run as they stand there, and what they print.

Twice the seed leaves something out: imports in its second block, and the parentheses of ``Flow()`` in ``Flow.add``.
"""

ARGUMENTS = "'parameters': {}, 'docs_matrix': None, 'groundtruths': None, 'groundtruths_matrix': None}"
ARRAY = '<jina.types.arrays.document.DocumentArray length='


def test_minimum_working_example(place):
    printed = place.script("""
        from jina import Document, Flow

        from jina import Executor, requests


        class MyExecutor(Executor):

            @requests
            def foo(self, **kwargs):
                print(kwargs)

        from jina import Executor

        f = Flow().add(uses=MyExecutor)

        with f:
            f.post(on='/random_work', inputs=Document(), on_done=print)
        m = MyExecutor()
        m.foo()
        """)
    called, response, alone = printed.splitlines()
    assert called.startswith(f"{{'docs': {ARRAY}1 at ")
    assert called.endswith(ARGUMENTS)
    assert response.startswith('<jina.types.request.Response request_id=')
    assert alone == '{}'


def test_arguments_of_init(place):
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
        from jina import Flow, requests

        from jina import Executor


        class MyExecutor(Executor):

            def __init__(self, foo: str, bar: int, **kwargs):
                super().__init__(**kwargs)
                self.bar = bar
                self.foo = foo

            @requests
            def show(self, **kwargs):
                print(self.foo, self.bar + 1, self.runtime_args.name)

        from jina import Flow

        f = Flow().add(uses=MyExecutor, uses_with={'foo': 'hello', 'bar': 1})

        with f:
            f.post('/')

        from jina import Flow

        f = Flow().add(uses='my-exec.yml')

        with f:
            f.post('/')

        f = Flow().add(uses='my-exec.yml', uses_with={'bar': 5})

        with f:
            f.post('/')
        """)
    assert printed.splitlines() == ['hello 2 pod0', 'hello 2 pod0', 'hello 6 pod0']


def test_endpoints(place):
    printed = place.script("""
        from jina import requests

        from jina import Executor, Flow, Document, requests


        class MyExecutor(Executor):

            @requests(on='/index')
            def foo(self, **kwargs):
                print(f'foo is called: {kwargs}')

            @requests(on='/random_work')
            def bar(self, **kwargs):
                print(f'bar is called: {kwargs}')


        f = Flow().add(uses=MyExecutor)

        with f:
            f.post(on='/index', inputs=Document(text='index'))
            f.post(on='/random_work', inputs=Document(text='random_work'))
            f.post(on='/blah', inputs=Document(text='blah'))
        """)
    index, random_work = printed.splitlines()
    assert index.startswith(f"foo is called: {{'docs': {ARRAY}1 at ")
    assert random_work.startswith(f"bar is called: {{'docs': {ARRAY}1 at ")


def test_bindings(place):
    printed = place.script("""
        from jina import Document, Flow

        from jina import Executor, requests


        class MyExecutor(Executor):

            @requests
            def foo(self, **kwargs):
                print(kwargs)

            @requests(on='/index')
            def bar(self, **kwargs):
                print(kwargs)

        class Told(MyExecutor):

            def foo(self, **kwargs):
                print('foo', end=' ')
                super().foo(**kwargs)

            def bar(self, **kwargs):
                print('bar', end=' ')
                super().bar(**kwargs)

        with Flow().add(uses=Told) as f:
            f.post('/blah', Document())
            f.post('/index', Document())
        """)
    blah, index = printed.splitlines()
    assert blah.startswith(f"foo {{'docs': {ARRAY}1 at ")
    assert index.startswith(f"bar {{'docs': {ARRAY}1 at ")


def test_signature(place):
    printed = place.script("""
        import inspect
        from typing import Dict, List, Optional

        from jina import Document, DocumentArray, Executor, Flow, requests

        def foo(docs: Optional[DocumentArray],
                parameters: Dict,
                docs_matrix: List[DocumentArray],
                groundtruths: Optional[DocumentArray],
                groundtruths_matrix: List[DocumentArray]) -> Optional[DocumentArray]:
            pass

        class Follows(Executor):

            bound = requests(staticmethod(foo))

            @requests(on='/told')
            def told(self, **kwargs):
                print(list(kwargs) == list(inspect.signature(foo).parameters))

        with Flow().add(uses=Follows) as f:
            f.post('/', Document(text='as it was'), lambda r: print(r.status.code, r.docs[0].text))
            f.post('/told', Document())
        """)
    assert printed == '0 as it was\nTrue\n'


def test_arguments_of_methods(place):
    printed = place.script("""
        from jina import Document, Flow

        from jina import Executor, requests


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

        # all three want all endpoints, and the last has them: so each has one of its own too
        bound = {'/one': 'foo_using_docs_arg', '/two': 'foo_using_docs_parameters_arg', '/three': 'foo_using_no_arg'}

        with Flow().add(uses=MyExecutor, uses_requests=bound) as f:
            for endpoint in ('/any', *bound):
                f.post(endpoint, Document(), parameters={'a': 1})
        """)
    last, one, two, parameters, three = printed.splitlines()
    assert (last, parameters, three) == ('None', "{'a': 1}", 'None')
    assert one.startswith(f'{ARRAY}1 at ')
    assert two.startswith(f'{ARRAY}1 at ')


def test_embedding_documents(place):
    place.write(
        'my_model.py',
        """
        from types import SimpleNamespace


        def get_predict_model():
            return SimpleNamespace(predict=lambda blobs: blobs.sum(axis=-1, keepdims=True))
        """,
    )
    printed = place.script("""
        from jina import Document, Flow

        import numpy as np
        from jina import requests, Executor, DocumentArray

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

        docs = [Document(id=name, chunks=[Document(blob=np.array([n, 2.0])) for n in (1.0, 3.0)]) for name in 'ab']
        with Flow().add(uses=PNEncoder) as f:
            [response] = f.index(docs, return_results=True)
        for doc in response.docs:
            print(doc.id, [(c.embedding.tolist(), c.blob.tolist()) for c in doc.chunks])
        """)
    chunks = [([3.0], [1.0, 2.0]), ([5.0], [3.0, 2.0])]
    assert printed == f'a {chunks}\nb {chunks}\n'


def test_adding_chunks(place):
    place.write('mesh.bin', '12 34 56')
    printed = place.script("""
        import numpy as np

        from jina import Flow

        def get_mesh(content):
            return [{'blob': np.array([int(n)]), 'tags': {'read': str(n)}} for n in bytes(content).decode().split()]

        from jina import requests, Document, Executor, DocumentArray


        class ConvertSegmenter(Executor):

            @requests
            def segment(self, docs: DocumentArray, **kwargs) -> None:
                for d in docs:
                    d.convert_uri_to_buffer()
                    d.chunks = [Document(blob=_r['blob'], tags=_r['tags']) for _r in get_mesh(d.content)]
                    d.pop('buffer', 'uri')

        with Flow().add(uses=ConvertSegmenter) as f:
            [response] = f.index([Document(uri='mesh.bin'), Document(uri='mesh.bin')], return_results=True)
        for doc in response.docs:
            print([(c.blob.tolist(), dict(c.tags)) for c in doc.chunks], doc.buffer, doc.uri, doc.content)
        """)
    chunks = [([n], {'read': str(n)}) for n in (12, 34, 56)]
    assert printed.splitlines() == [f"{chunks} b''  None"] * 2


def test_preserving_ids_only(place):
    printed = place.script('''
        from jina import Flow

        from jina import requests, Document, Executor, DocumentArray


        class MyIndexer(Executor):
            """Simple indexer class """

            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self._docs = DocumentArray()

            @requests(on='/index')
            def index(self, docs: DocumentArray, **kwargs):
                self._docs.extend(docs)
                return DocumentArray([Document(id=d.id) for d in docs])

            @requests(on='/stored')
            def stored(self, **kwargs):
                return self._docs

        def show(response):
            print([(d.id, d.text) for d in response.docs])

        with Flow().add(uses=MyIndexer) as f:
            f.index([Document(id='a', text='x'), Document(id='b', text='y')], on_done=show)
            f.index(Document(id='c', text='z'), on_done=show)
            f.post('/stored', on_done=show)
        ''')
    assert printed.splitlines() == ["[('a', ''), ('b', '')]", "[('c', '')]", "[('a', 'x'), ('b', 'y'), ('c', 'z')]"]
