"""The code blocks of the Flow seed, run as they stand there: scripts without a guard; and what they print."""

import ast
import inspect
import signal
from functools import partialmethod

import pytest
from ports import free_port
from printed_form import responses
from programs import interrupt, wait_line

from jina import Flow
from jina.clients.poster import Poster

ARRAY = '<jina.types.arrays.document.DocumentArray length=1 at '

# Whatever the seed leaves out as `...` stands here as it would in a program.


def test_minimum_working_example(place):
    printed = place.script("""
        from jina import Flow, Document, Executor, requests


        class MyExecutor(Executor):

            @requests(on='/bar')
            def foo(self, docs, **kwargs):
                print(docs)


        f = Flow().add(name='myexec1', uses=MyExecutor)

        with f:
            f.post(on='/bar', inputs=Document(), on_done=print)
        """)
    assert printed.startswith(ARRAY)
    [shown] = responses(printed)
    assert (len(shown.data['docs']), shown.header, shown.status) == (1, {'exec_endpoint': '/bar'}, {})
    assert shown.pods == ['gateway', 'myexec1']


SERVER = """
    from jina import Flow, Executor, requests


    class MyExecutor(Executor):

        @requests(on='/bar')
        def foo(self, docs, **kwargs):
            print(docs)


    f = Flow(port_expose=12345).add(name='myexec1', uses=MyExecutor)

    with f:
        f.block()
    """

CLIENT = """
    from jina import Client, Document

    c = Client(port_expose=12345)
    c.post(on='/bar', inputs=Document(), on_done=print)
    """


def test_server_and_client(place):
    port = str(free_port())
    with place.start(place.write('server.py', SERVER.replace('12345', port))) as process:
        wait_line(process.stderr, f':{port}')
        [shown] = responses(place.script(CLIENT.replace('12345', port), 'client.py'))
        assert shown.pods == ['gateway', 'myexec1']
        wait_line(process.stdout, ARRAY)
        interrupt(process, signal.SIGINT)
    assert process.returncode == 0


def test_a_flow_from_yaml(place):
    place.write(
        'my.yml',
        """
        jtype: Flow
        executors:
          - name: myexec1
            uses: MyExecutor
        """,
    )
    printed = place.script("""
        from jina import Executor, requests


        class MyExecutor(Executor):

            @requests(on='/bar')
            def foo(self, docs, **kwargs):
                print(docs)


        from jina import Flow, Document

        f = Flow.load_config('my.yml')

        with f:
            f.post(on='/bar', inputs=Document(), on_done=print)
        """)
    assert printed.startswith(ARRAY)
    assert responses(printed)[0].pods == ['gateway', 'myexec1']


def test_an_empty_flow_a_plot_and_a_chain(place):
    printed = place.script("""
        from jina import Flow

        f = Flow()

        with f:
            print(f)

        from jina import Flow

        f = Flow().add().plot('f.svg')

        from jina import Flow

        f = Flow().add().add().add().add()

        with f:
            f.post('/', on_done=print)
        """)
    assert printed.startswith('<jina.flow.Flow no Executors, open>')
    assert 'pod0' in (place.folder / 'f.svg').read_text()
    assert responses(printed)[0].pods == ['gateway', 'pod0', 'pod1', 'pod2', 'pod3']


def test_block(place):
    program = place.write(
        'program.py',
        """
        import sys, threading, time

        def tell_when_blocked():
            main = threading.main_thread().ident
            while sys._current_frames()[main].f_code.co_name != 'block':
                time.sleep(0.01)
            print('blocked', flush=True)

        threading.Thread(target=tell_when_blocked, daemon=True).start()

        from jina import Flow

        f = Flow()

        with f: f.block()  # block the current process
        print('after it')
        """,
    )
    with place.start(program) as process:
        wait_line(process.stdout, 'blocked')
        assert process.poll() is None
        interrupt(process)
        assert process.stdout.read() == 'after it\n'
    assert process.returncode == 0


def test_uses_a_class(place):
    printed = place.script("""
        from jina import Flow, Executor


        class MyExecutor(Executor):

            def __init__(self, **kwargs):
                print('made')

        f = Flow().add(uses=MyExecutor)

        with f:
            print(f)
        """)
    assert printed == 'made\n<jina.flow.Flow pod0, open>\n'


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
                print('made with', bar)

            def foo(self, **kwargs):
                print('bar is', self.bar, 'in', self.metas.name, '-', self.metas.description)
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


CALLED = 'made with 123\nbar is 123 in awesomeness - my first awesome executor\n'


def test_uses_a_yaml_file(my_exec):
    printed = my_exec.script("""
        from jina import Flow

        f = Flow().add(uses='myexec.yml')

        with f:
            f.post('/random_work')
            f.post('/other_work')
        """)
    assert printed == CALLED


def test_uses_inline_yaml_and_a_dict(my_exec):
    printed = my_exec.script("""
        from myexec import MyExecutor

        from jina import Flow

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

        from jina import Flow

        f = Flow().add(
            uses={
                'jtype': 'MyExecutor',
                'with': {'bar': 123}
            })

        with f:
            f.post('/random_work')
        """)
    assert printed == CALLED + 'made with 123\n'


def test_needs_and_needs_all(place):
    printed = place.script("""
        from jina import Document

        from jina import Flow

        f = (Flow()
             .add(name='p1', needs='gateway')
             .add(name='p2', needs='gateway')
             .add(name='p3', needs='gateway')
             .needs(['p1', 'p2', 'p3'], name='r1'))

        with f:
            f.post('/', Document(), on_done=print)

        from jina import Flow

        f = (Flow()
             .add(name='p1', needs='gateway')
             .add(name='p2', needs='gateway')
             .add(name='p3', needs='gateway')
             .needs_all())

        with f:
            f.post('/', Document(), on_done=print)
        """)
    first, second = responses(printed)
    assert sorted(first.pods) == ['gateway', 'p1', 'p2', 'p3', 'r1']
    assert len(first.data['docs']) == len(second.data['docs']) == 3


SUGAR = """
    f
    .add(needs=['p1', 'p2', 'p3'])
    """
SUGAR_FOR_ALL = """
    f
    .add(needs=[all_orphan_executors_so_far])
    """


def three():
    return Flow().add(name='p1', needs='gateway').add(name='p2', needs='gateway').add(name='p3', needs='gateway')


def test_needs_is_sugar():
    orphans = "'p1', 'p2', 'p3'"
    plain = eval(f'({SUGAR})', {'f': three()})
    for_all = eval(f'({SUGAR_FOR_ALL})'.replace('all_orphan_executors_so_far', orphans), {'f': three()})
    for flow in (plain, for_all, three().needs(['p1', 'p2', 'p3']), three().needs_all()):
        assert flow[3].needs == ['p1', 'p2', 'p3']


def test_parallel_inside_and_between(place):
    printed = place.script("""
        from jina import Document

        from jina import Flow

        f = (Flow()
             .add(name='p1', parallel=3)
             .add(name='p2'))

        with f:
            f.post('/', Document(), on_done=print)

        from jina import Flow

        f = (Flow()
             .add(name='p1', needs='gateway')
             .add(name='p2', needs='gateway')
             .add(name='p3', parallel=3)
             .needs(['p1', 'p3'], name='r1'))

        with f:
            f.post('/', Document(), on_done=print)
        """)
    inside, between = responses(printed)
    assert (inside.pods, len(inside.data['docs'])) == (['gateway', 'p1', 'p2'], 1)
    assert between.pods[0] == 'gateway'
    assert between.pods[-1] == 'r1'
    assert sorted(between.pods[1:-1]) == ['p1', 'p2', 'p3']
    assert len(between.data['docs']) == 2


def test_post_inside_with(place):
    printed = place.script("""
        from jina import Flow

        f = Flow().add(name='p1')

        with f:
            f.post('/', on_done=print)
        """)
    assert responses(printed)[0].pods == ['gateway', 'p1']


SIGNATURE = """
def post(
        self,
        on: str,
        inputs: InputType,
        on_done: CallbackFnType = None,
        on_error: CallbackFnType = None,
        on_always: CallbackFnType = None,
        parameters: Optional[dict] = None,
        target_peapod: Optional[str] = None,
        request_size: int = 100,
        show_progress: bool = False,
        continue_on_error: bool = False,
        return_results: bool = False,
        **kwargs,
) -> None:
    pass
"""


def test_signature_of_post():
    described = ast.parse(SIGNATURE).body[0].args
    names = [argument.arg for argument in described.args]
    defaults = dict(zip(names[3:], map(ast.literal_eval, described.defaults), strict=True))
    ours = inspect.signature(Flow.post).parameters
    assert list(ours)[: len(names)] == names
    assert {name: ours[name].default for name in defaults} == defaults
    assert set(ours) - set(names) == {'timeout', described.kwarg.arg}


CRUD = """
index = partialmethod(post, '/index')
search = partialmethod(post, '/search')
update = partialmethod(post, '/update')
delete = partialmethod(post, '/delete')
"""


def test_crud_is_sugar():
    defined = {}
    exec(CRUD, {'partialmethod': partialmethod, 'post': Poster.post}, defined)
    assert set(defined) == {'index', 'search', 'update', 'delete'}
    for name, method in defined.items():
        ours = vars(Poster)[name]
        assert (ours.func, ours.args, ours.keywords) == (method.func, method.args, method.keywords)
        assert getattr(Flow, name)


def test_inputs(place):
    printed = place.script("""
        from jina import Flow, DocumentArray, Document

        d1 = Document(content='hello')
        d2 = Document(content='world')


        def doc_gen():
            for j in range(10):
                yield Document(content=f'hello {j}')


        with Flow() as f:
            f.post('/', d1)  # Single document
            f.post('/', [d1, d2])  # a list of Document
            f.post('/', doc_gen)  # Document generator
            f.post('/', DocumentArray([d1, d2]))  # DocumentArray
            f.post('/')  # empty

            for inputs in (d1, [d1, d2], doc_gen, DocumentArray([d1, d2]), None):
                f.post('/', inputs, lambda response: print(response.docs.get_attributes('text')))
        """)
    tens = [f'hello {j}' for j in range(10)]
    shown = ['hello'], ['hello', 'world'], tens, ['hello', 'world'], []
    assert printed.splitlines() == [str(texts) for texts in shown]


def test_generators(place):
    place.write('my.csv', 'question,answer\nwho,me\nwhen,now\n')
    printed = place.script("""
        from jina import Flow
        from jina.types.document.generators import from_csv

        f = Flow()

        with f, open('my.csv') as fp:
            f.index(from_csv(fp, field_resolver={'question': 'text'}))

        def show(response):
            print([(d.text, d.tags['answer']) for d in response.docs])

        with f, open('my.csv') as fp:
            f.index(from_csv(fp, field_resolver={'question': 'text'}), show)
        """)
    assert printed == "[('who', 'me'), ('when', 'now')]\n"


def test_an_annotated_callback(place):
    printed = place.script("""
        from jina.types.request import Response

        def my_callback(rep: Response):
            print(type(rep) is Response, type(rep.docs))

        from jina import Document, Flow

        with Flow() as f:
            f.post('/', Document(), on_done=my_callback)
        """)
    assert printed == "True <class 'jina.types.arrays.document.DocumentArray'>\n"


BEEP = r"""
    from jina import Document, Flow


    def beep(*args):
        # make a beep sound
        import sys
        sys.stdout.write('\a')


    with Flow().add() as f, open('output.txt', 'w') as fp:
        f.post('/',
               Document(),
               on_done=print,
               on_error=beep,
               on_always=lambda x: x.docs.save(fp))
    """


SLOW = """
    import time

    from jina import Executor, requests


    class Slow(Executor):

        @requests
        def foo(self, **kwargs):
            time.sleep(0.5)

    """


def test_callbacks(place):
    printed = place.script(BEEP)
    [shown] = responses(printed)
    assert '\a' not in printed
    assert shown.data['docs'][0]['id'] in (place.folder / 'output.txt').read_text()


def test_callbacks_when_something_goes_wrong(place):
    fails = BEEP.replace('.add()', '.add(uses=Slow)').replace('Document()', "Document(text='sent')")
    assert place.script(SLOW + fails.replace('on_done', 'timeout=0.1, on_done')) == '\a'
    assert '"sent"' in (place.folder / 'output.txt').read_text()


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

        with f:
            f.post('/', parameters={'hello': 'world'})
        """)
    assert printed == 'world\nworld\n'


def test_request_size_and_what_a_flow_says(place):
    printed = place.script("""
        from jina import Flow, Document

        f = Flow()

        with f:
            f.post('/', (Document() for _ in range(100)), request_size=10)

        with Flow(host='0.0.0.0') as f:
            print(f.port_expose, f.address_private)
            f.post('/', (Document() for _ in range(100)), lambda r: print(len(r.docs)), request_size=10)
        """)
    (port, private), *sizes = map(str.split, printed.splitlines())
    assert sizes == [['10']] * 10
    says = printed.err.split('Flow is ready')
    assert 'GRPC' in says[1]
    assert 'localhost:' in says[1]
    assert [f'{host}:{port}' in says[2] for host in ('localhost', private)] == [True, True]
    assert printed.err.count('Flow is closed') == 2


def test_progress(place):
    printed = place.script("""
        from jina import Flow, Document

        f = Flow()

        with f:
            f.post('/', (Document() for _ in range(100)), request_size=10, show_progress=True)
        """)
    assert printed == ''
    assert '100 documents in' in printed.err
    assert 'documents/s' in printed.err


def test_results(place):
    printed = place.script("""
        from jina import Flow, Document

        f = Flow()

        with f:
            all_responses = f.post('/', (Document() for _ in range(100)), request_size=10, return_results=True)
            print(all_responses)
        """)
    shown = responses(printed)
    assert (printed[0], printed[-2:]) == ('[', ']\n')
    assert [(len(s.data['docs']), s.header, s.status) for s in shown] == [(10, {'exec_endpoint': '/'}, {})] * 10
    assert len({s.request_id for s in shown}) == 10
    assert len({doc['id'] for s in shown for doc in s.data['docs']}) == 100


def test_async_flow(place):
    printed = place.script("""
        from jina import AsyncFlow

        f = AsyncFlow()

        print(type(f))

        from jina import Flow

        f = Flow(asyncio=True)

        print(type(f))
        """)
    assert printed == "<class 'jina.flow.AsyncFlow'>\n" * 2


ASYNC_INPUTS = """
import asyncio

from jina import AsyncFlow, Document

async def async_inputs():
    for _ in range(10):
        yield Document()
        await asyncio.sleep(0.1)

with AsyncFlow().add() as f:
    async for resp in f.post('/', async_inputs):
        print(resp)

"""


CELL = """
import ast, asyncio, sys
cell = compile(sys.stdin.read(), 'cell', 'exec', ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
asyncio.run(eval(cell, {'__name__': '__main__'}))
"""


def test_async_inputs(place):
    printed = place.run('-c', CELL, input=ASYNC_INPUTS)  # takes `async for` at the top, as notebooks do
    [shown] = responses(printed)
    assert (len(shown.data['docs']), shown.pods) == (10, ['gateway', 'pod0'])


def test_async_flow_beside_heavy_work(place):
    process = place.start(
        place.write(
            'program.py',
            """
            import time
            import asyncio

            from jina import AsyncFlow, Executor, requests


            class HeavyWork(Executor):

                @requests
                def foo(self, **kwargs):
                    time.sleep(5)


            async def run_async_flow_5s():
                with AsyncFlow().add(uses=HeavyWork) as f:
                    async for resp in f.post('/'):
                        print(resp)


            async def heavylifting():  # total roundtrip takes ~5s
                print('heavylifting other io-bound jobs, e.g. download, upload, file io')
                await asyncio.sleep(5)
                print('heavylifting done after 5s')


            async def concurrent_main():  # about 5s; but some dispatch cost, can't be just 5s, usually at <7s
                await asyncio.gather(run_async_flow_5s(), heavylifting())


            if __name__ == '__main__':
                asyncio.run(concurrent_main())
            """,
        )
    )
    with process:
        wait_line(process.stderr, 'Flow is ready')
        begun = wait_line(process.stdout, 'heavylifting other')
        printed = process.stdout.read()
    assert begun
    assert 'heavylifting done after 5s' in printed
    assert len(responses(printed)) == 1


def joined(place, script):
    [shown] = responses(place.script(script))
    return shown.texts


JOINING = """
    from jina import Executor, requests, Flow, Document


    class C(Executor):

        @requests
        def foo(self, docs, **kwargs):
            # 6 docs
            return docs


    class B(Executor):

        @requests
        def foo(self, docs, **kwargs):
            # 3 docs
            for idx, d in enumerate(docs):
                d.text = f'hello {idx}'


    class A(Executor):

        @requests
        def A(self, docs, **kwargs):
            # 3 docs
            for idx, d in enumerate(docs):
                d.text = f'world {idx}'


    f = Flow().add(uses=A).add(uses=B, needs='gateway').add(uses=C, needs=['pod0', 'pod1'])

    with f:
        f.post(on='/some_endpoint',
               inputs=[Document() for _ in range(3)],
               on_done=print)
    """

JOINING_CHANGED = """
    class C(Executor):

        @requests
        def foo(self, docs, **kwargs):
            # 6 docs
            for d in docs:
                d.text += '!!!'
            return docs


    """

SIX = [f'{word} {i}' for word in ('world', 'hello') for i in range(3)]


def test_joining(place):
    assert joined(place, JOINING) == SIX


def test_joining_and_changing(place):
    before, flow = JOINING.split('    f = Flow()')
    script = f'{before}{JOINING_CHANGED.rstrip(" ")}    f = Flow(){flow}'
    assert joined(place, script) == [f'{text}!!!' for text in SIX]
