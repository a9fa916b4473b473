"""Bad input ends in one error that says what, where and what to do."""

import socket
import threading
import time

import pytest
from programs import start_timeout

from jina import Client, Document, Executor, Flow, requests
from jina.excepts import (
    BadConfig,
    BadDocType,
    BadFlowYAMLVersion,
    BadOption,
    ExecutorFailToLoad,
    FlowBuildLevelError,
    FlowMissingPodError,
    FlowTopologyError,
    JinaError,
    NoAvailablePortError,
    RuntimeFailToStart,
    ServerUnreachable,
)
from jina.types.request import StatusCode


class Fine(Executor):
    @requests
    def foo(self, docs, **kwargs): ...

    @requests(on='/raise')
    def fails(self, **kwargs):
        raise LookupError('not found')

    @requests(on='/return')
    def wrong_type(self, **kwargs):
        return 'text'

    @requests(on='/return-list')
    def wrong_item(self, **kwargs):
        return ['text']

    @requests(on='/document')
    def wrong_document(self, docs, **kwargs):
        docs.append('text')


class NoModel(Executor):
    def __init__(self, path='model.bin', **kwargs):
        super().__init__(**kwargs)
        raise OSError(f'no model at {path}')


class Hangs(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        time.sleep(100)


class Exits(Executor):
    def __init__(self, **kwargs):
        import os

        os._exit(7)


class WrongArgument(Executor):
    @requests
    def foo(self, documents): ...


def fails(error, flow, *words):
    """Open a Flow that cannot be opened; the error."""
    with pytest.raises(error) as caught:
        flow.start()
    says(caught.value, *words)
    assert 'closed' in repr(flow)
    return caught.value


def says(error, *words):
    assert [word for word in words if word not in str(error)] == [], str(error)
    assert '\n' not in str(error)


@pytest.mark.parametrize(
    ('build', 'words'),
    [
        (lambda: Flow().add(use=Fine), ("Executor 'pod0'", "no option 'use'", "did you mean 'uses'?")),
        (lambda: Flow(prot='http'), ("Flow has no option 'prot'", "did you mean 'protocol'?")),
        (lambda: Flow(protocol='grp'), ("protocol='grp'", 'it takes one of: grpc, http')),
        (lambda: Flow(port_expose='x'), ("port_expose='x'", 'int')),
        (lambda: Flow(port_expose=[1, 2]), ('port_expose=[1, 2]', 'protocol=grpc')),
        (lambda: Flow().add(name='a', timeout_ready='1s'), ("Executor 'a'", "timeout_ready='1s'", 'int')),
        (lambda: Flow().add(runtime_backend='FIBRE'), ("runtime_backend='FIBRE'", 'PROCESS, THREAD')),
        (lambda: Flow().add(uses=int), ("Executor 'pod0'", 'int', 'must subclass jina.Executor')),
        (lambda: Flow().add(uses=Fine()), ("Executor 'pod0'", 'the class Fine, not an object')),
        (lambda: requests('/index'), ("@requests(on='/index')",)),
    ],
)
def test_options(build, words):
    with pytest.raises(BadOption) as caught:
        build()
    says(caught.value, *words)
    assert isinstance(caught.value, TypeError)


def test_a_name_far_from_all_options_is_answered_with_the_list():
    with pytest.raises(BadOption, match=r"no option 'zzz'; it has: .*needs.*uses"):
        Flow().add(zzz=1)


def test_needs_of_an_executor_that_is_not_there():
    with pytest.raises(FlowTopologyError, match=r"Executor 'a' needs 'nobody'.*not in this Flow"):
        Flow().add(name='a', needs='nobody')


def test_a_name_used_twice():
    with pytest.raises(FlowTopologyError, match="the name 'a' is in use"):
        Flow().add(name='a').add(name='a')
    with pytest.raises(FlowTopologyError, match="the name 'gateway' is in use"):
        Flow().add(name='gateway')


def test_a_flow_that_was_refused_an_executor_is_as_before():
    flow = Flow().add(name='a')
    with pytest.raises(JinaError):
        flow.add(needs='nobody')
    assert flow.num_pods == 2
    assert flow.add(name='b')['b'].needed == ['a']


def test_an_executor_that_is_not_there():
    with pytest.raises(FlowMissingPodError) as caught:
        Flow().add(name='encoder')['encodre']
    says(caught.value, "no Executor 'encodre'", "did you mean 'encoder'?")


def test_a_class_that_cannot_be_found():
    fails(
        ExecutorFailToLoad, Flow().add(name='a', uses='Fin'), "Executor 'a'", "no class 'Fin'", "did you mean 'Fine'?"
    )


def test_a_class_that_its_module_does_not_have(tmp_path):
    (tmp_path / 'my.py').write_text('class Upper: ...')
    path = str(tmp_path / 'my.py')
    fails(RuntimeFailToStart, Flow().add(uses='Uper', py_modules=path), "'pod0'", "no Executor class 'Uper' in my")
    fails(RuntimeFailToStart, Flow().add(uses='Upper', py_modules=path), 'my.Upper', 'must be a class that subclasses')


def test_a_module_that_cannot_be_imported(tmp_path):
    broken = tmp_path / 'broken.py'
    broken.write_text('import no_such_module')
    error = fails(
        RuntimeFailToStart,
        Flow().add(uses='A', py_modules=str(broken)),
        str(broken),
        "No module named 'no_such_module'",
    )
    assert isinstance(error.__cause__, ExecutorFailToLoad)
    flow = Flow().add(uses='A', py_modules=str(tmp_path / 'none.py'))
    fails(RuntimeFailToStart, flow, 'there is no file', 'none.py')


@pytest.mark.parametrize(
    ('uses', 'words'),
    [
        ('none.yml', ('there is no file none.yml',)),
        ('jtype: Fine\nwiht: {a: 1}', ("no key 'wiht'", "did you mean 'with'?")),
        ('with: {a: 1}', ('the key `jtype`',)),
        ({'jtype': 'Fine', 'with': 3}, ('with', 'int')),
        ('docker://image', ("uses='docker://image'", 'no containers')),
    ],
)
def test_yaml_of_an_executor(uses, words):
    with pytest.raises(BadConfig) as caught:
        Flow().add(uses=uses).start()
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


def test_text_that_is_no_yaml_is_shown_with_its_line():
    with pytest.raises(BadConfig, match=r'the YAML text of uses is not YAML(.|\n)*line 2'):
        Flow().add(uses='jtype: Fine\n  with: {a').start()


@pytest.mark.parametrize(
    ('source', 'words'),
    [
        ('none.yml', ('there is no file none.yml',)),
        ('jtype: Flwo', ('jtype: Flow',)),
        ('jtype: Flow\nexcutors: []', ("no key 'excutors'", "did you mean 'executors'?")),
        ('jtype: Flow\nwith: {protcol: http}', ("no option 'protcol'", "did you mean 'protocol'?")),
        ('jtype: Flow\nexecutors: [{usse: A}]', ('Executor 0', "no option 'usse'", "did you mean 'uses'?")),
        ({'jtype': 'Flow', 'executors': ['A']}, ('executors',)),
        ({'jtype': 'Flow', 'executors': 'A'}, ('executors',)),
        ({'jtype': 'Flow', 'with': 3}, ('with',)),
    ],
)
def test_yaml_of_a_flow(source, words):
    with pytest.raises(BadConfig) as caught:
        Flow.load_config(source)
    says(caught.value, *words)


def test_version_of_yaml():
    with pytest.raises(BadFlowYAMLVersion, match='7'):
        Flow.load_config({'jtype': 'Flow', 'version': '7'})


def test_init_that_raises():
    error = fails(
        RuntimeFailToStart, Flow().add(name='a', uses=NoModel, uses_with={'path': 'x.bin'}), "'a' (process", 'NoModel',
        "OSError: no model at x.bin (called with path='x.bin')",
    )  # fmt: skip
    assert isinstance(error.__cause__, ExecutorFailToLoad)
    assert "raise OSError(f'no model at {path}')" in str(error.__cause__.__cause__)


def test_init_that_does_not_take_an_argument():
    fails(RuntimeFailToStart, Flow().add(uses=Fine, uses_with={'pth': 1}), 'Fine.__init__()', "'pth'")


def test_init_that_hangs():
    error = start_timeout(lambda ms: Flow().add(name='slow', uses=Hangs, timeout_ready=ms), 'running Hangs.__init__()')
    says(error, "'slow' (process", 'larger timeout_ready')


def test_process_that_ends_while_it_starts():
    fails(
        RuntimeFailToStart, Flow().add(uses=Exits), "'pod0' (process", 'exited with code 7', 'running Exits.__init__()'
    )


def test_method_that_takes_what_it_is_not_given():
    fails(RuntimeFailToStart, Flow().add(uses=WrongArgument), "takes 'documents'", 'docs, parameters')


def test_requests_that_name_no_method():
    flow = Flow().add(uses=Fine, uses_requests={'/a': 'bar'})
    fails(RuntimeFailToStart, flow, 'Fine', "no method 'bar'", "'/a'")


@pytest.mark.parametrize('protocol', ['grpc', 'http'])
def test_port_that_is_taken(protocol):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        flow = Flow(protocol=protocol, port_expose=port).add(uses=Hangs)
        fails(NoAvailablePortError, flow, f'{protocol} cannot listen at 127.0.0.1:{port}', 'another port_expose')


def test_class_that_cannot_be_sent():
    lock = threading.Lock()

    class Holds(Executor):
        @requests
        def foo(self, **kwargs):
            return lock

    fails(
        ExecutorFailToLoad, Flow().add(uses=Holds), 'the class Holds cannot be sent', 'lock', "runtime_backend='THREAD'"
    )


def test_environment_for_a_thread():
    flow = Flow().add(name='a', uses=Fine, env={'A': '1'}, runtime_backend='THREAD')
    fails(BadOption, flow, "Executor 'a'", 'env=', 'process of its own')


def test_calls_that_need_an_open_flow():
    flow = Flow().add(uses=Fine)
    for call, name in ((lambda: flow.post('/'), 'post()'), (flow.block, 'block()'), (lambda: flow.client, 'client')):
        with pytest.raises(FlowBuildLevelError) as caught:
            call()
        says(caught.value, name, 'needs an open Flow', 'inside `with')


def test_document_of_the_wrong_type():
    with pytest.raises(BadDocType):
        Document(text=3)


def test_server_that_is_not_there():
    with pytest.raises(ServerUnreachable, match='nothing answers at grpc://localhost:1') as caught:
        Client(port_expose=1).post('/', Document())
    assert isinstance(caught.value, ConnectionError)


@pytest.fixture(scope='module')
def flow():
    with Flow().add(name='fine', uses=Fine) as flow:
        yield flow


@pytest.mark.parametrize(
    ('endpoint', 'words'),
    [
        ('/raise', ('LookupError: not found',)),
        ('/return', ('BadDocType', 'returned str: it must return a DocumentArray')),
        ('/return-list', ('BadDocType', 'str')),
        ('/document', ('BadDocType', 'str')),
    ],
)
def test_handlers_that_fail(flow, endpoint, words):
    [response] = flow.post(endpoint, Document(text='sent'), return_results=True)
    assert response.status.code == StatusCode.ERROR
    says_words = ("Executor 'fine' (Fine) failed on", repr(endpoint), *words)
    assert [w for w in says_words if w not in response.status.description] == []
    assert response.docs[0].text == 'sent'


def test_calls_that_need_a_closed_flow(flow):
    for call, name in ((flow.add, 'add()'), (flow.start, 'start()'), (flow.needs_all, 'add()')):
        with pytest.raises(FlowBuildLevelError, match=r'needs a closed Flow') as caught:
            call()
        says(caught.value, name)
