"""``f.post``: every argument, every kind of input."""

import asyncio
import time
from datetime import UTC, datetime

import numpy as np
import pytest

from jina import AsyncFlow, Document, DocumentArray, Executor, Flow, requests
from jina.excepts import BadClientCallback, BadClientInput, BadOption
from jina.types.request import Response, StatusCode

WINDOW = 8


class Work(Executor):
    """Leaves its name on each document; other endpoints do one thing each."""

    @requests
    def sign(self, docs, parameters, **kwargs):
        for doc in docs or ():
            doc.text += f' {self.runtime_args.name}'

    @requests(on='/tell')
    def tell(self, docs, parameters, groundtruths, **kwargs):
        tags = {
            'parameters': parameters,
            'docs': None if docs is None else len(docs),
            'truths': [d.text for d in groundtruths or ()],
        }
        return [Document(text=repr(parameters), tags=tags)]

    @requests(on=['/index', '/search', '/update', '/delete'])
    def crud(self, docs, **kwargs): ...

    @requests(on='/fail')
    def fail(self, docs, **kwargs):
        if 'bad' in docs[0].text:
            docs[0].text = 'changed before it failed'
            raise ValueError('no good')

    @requests(on='/slow')
    def slow(self, **kwargs):
        time.sleep(0.002)

    @requests(on='/double')
    def double(self, docs, **kwargs):
        for doc in docs:
            doc.blob = doc.blob * 2


@pytest.fixture(scope='module')
def flow():
    with Flow(prefetch=WINDOW).add(name='first', uses=Work).add(name='second', uses=Work) as flow:
        yield flow


@pytest.fixture(scope='module')
def async_flow():
    with AsyncFlow().add(name='first', uses=Work) as flow:
        yield flow


def posted(flow, *arguments, **options):
    return flow.post(*arguments, return_results=True, **options)


def docs_of(number):
    return [Document(text=str(i)) for i in range(number)]


def sizes(responses):
    return [len(r.docs) for r in responses]


def test_posts_through_all_executors_in_order(flow):
    [response] = posted(flow, '/', Document(text='x'))
    assert isinstance(response, Response)
    assert response.docs[0].text == 'x first second'
    assert [r.pod for r in response.routes] == ['gateway', 'first', 'second']
    assert response.header.exec_endpoint == '/'
    assert response.status.code == StatusCode.SUCCESS
    assert response.request_id


@pytest.mark.parametrize(
    ('inputs', 'texts'),
    [
        (lambda: Document(text='0'), ['0']),
        (lambda: docs_of(2), ['0', '1']),
        (lambda: tuple(docs_of(2)), ['0', '1']),
        (lambda: (d for d in docs_of(2)), ['0', '1']),
        (lambda: DocumentArray(docs_of(2)), ['0', '1']),
        (lambda: lambda: docs_of(2), ['0', '1']),
        (lambda: lambda: iter(docs_of(2)), ['0', '1']),
        (lambda: lambda: Document(text='0'), ['0']),
        (lambda: lambda: None, []),
        (lambda: {d.text: d for d in docs_of(2)}.values(), ['0', '1']),
        (lambda: map(Document, docs_of(2)), ['0', '1']),
        (lambda: None, []),
        (list, []),
        (lambda: DocumentArray(), []),
    ],
)
def test_kinds_of_inputs(flow, inputs, texts):
    [response] = posted(flow, '/', inputs(), target_peapod='^$')
    assert [d.text for d in response.docs] == texts


def test_a_generator_without_documents_sends_nothing(flow):
    assert posted(flow, '/', (d for d in ())) == []
    assert posted(flow, '/', lambda: iter([])) == []


def test_a_generator_function_is_read_anew_by_every_post(flow):
    def inputs():
        yield from docs_of(3)

    assert [sizes(posted(flow, '/', inputs)) for _ in range(2)] == [[3], [3]]


def test_pairs_send_both_sides(flow):
    pairs = [(Document(text=f'd{i}'), Document(text=f't{i}')) for i in range(3)]
    responses = posted(flow, '/tell', pairs, request_size=2, target_peapod='first')
    assert [r.docs[0].tags['truths'] for r in responses] == [['t0', 't1'], ['t2']]
    assert [r.docs[0].tags['docs'] for r in responses] == [2, 1]
    assert [d.text for r in responses for d in r.groundtruths] == ['t0', 't1', 't2']


@pytest.mark.parametrize(
    ('size', 'expected'),
    [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7]), (0, [7]), (-1, [7])],
)
def test_request_size(flow, size, expected):
    assert sizes(posted(flow, '/', docs_of(7), request_size=size)) == expected


def test_request_size_that_divides_the_inputs_sends_no_empty_request(flow):
    assert sizes(posted(flow, '/', docs_of(6), request_size=3)) == [3, 3]
    assert sizes(posted(flow, '/', iter(docs_of(6)), request_size=3)) == [3, 3]


def test_without_documents_the_executor_sees_none(flow):
    [response] = posted(flow, '/tell', parameters={'a': 1}, target_peapod='first')
    assert response.docs[0].tags['docs'] is None


@pytest.mark.parametrize(
    'parameters',
    [
        {'int': 1, 'float': 1.0, 'true': True, 'none': None, 'text': 'ü', 'big': 2**60},
        {'nested': {'list': [1, [2.5, {'a': 'b'}]], 'empty': {}, 'nothing': []}},
        {},
    ],
)
def test_parameters_arrive_as_they_were(flow, parameters):
    [response] = posted(flow, '/tell', parameters=parameters, target_peapod='first')
    assert response.docs[0].text == repr(parameters)  # 1 and 1.0 are equal, their looks are not
    assert response.parameters == parameters


def test_a_moment_in_parameters_stays_one(flow):
    moment = datetime(2021, 1, 2, 3, 4, 5, tzinfo=UTC)
    [response] = posted(flow, '/', Document(), parameters={'since': moment})
    assert response.parameters == {'since': moment}


def test_parameters_none_are_empty(flow):
    assert posted(flow, '/tell', parameters=None)[0].docs[0].text == '{}'


def test_parameters_may_hold_numbers_and_arrays_of_numpy(flow):
    parameters = {'n': np.int64(3), 'f': np.float32(0.5), 'a': np.arange(2), 't': (1, 2)}
    [response] = posted(flow, '/tell', parameters=parameters)
    assert response.parameters == {'n': 3, 'f': 0.5, 'a': [0, 1], 't': [1, 2]}


@pytest.mark.parametrize('value', [object(), print, 2**70])
def test_parameters_that_cannot_be_sent_are_refused(flow, value):
    with pytest.raises(BadOption, match=r'parameters=.* cannot be sent'):
        flow.post('/tell', parameters={'a': value})


@pytest.mark.parametrize(
    ('target', 'text'),
    [('first', ' first'), ('second', ' second'), ('.*', ' first second'), ('fi|se', ' first second'), ('nobody', '')],
)
def test_target_peapod(flow, target, text):
    [response] = posted(flow, '/', Document(text='x'), target_peapod=target)
    assert response.docs[0].text == f'x{text}'
    assert response.header.target_peapod == target


def test_target_peapod_that_is_no_regex_is_an_error(flow):
    [response] = posted(flow, '/', Document(), target_peapod='*')
    assert "target_peapod='*' is no regular expression" in response.status.description


def test_index_search_update_delete(flow):
    for name in ('index', 'search', 'update', 'delete'):
        [response] = getattr(flow, name)(Document(text='x'), return_results=True)
        assert response.header.exec_endpoint == f'/{name}'
        assert response.docs[0].text == 'x'


def test_post_returns_nothing_unless_asked(flow):
    assert flow.post('/', docs_of(2)) is None


class Recorder:
    def __init__(self):
        self.events = []

    def __getattr__(self, event):
        return lambda response: self.events.append((event, response.docs[0].text))


def test_callbacks_done_then_always(flow):
    calls = Recorder()
    flow.post('/index', Document(text='x'), calls.done, calls.error, calls.always)
    assert calls.events == [('done', 'x'), ('always', 'x')]


def test_callbacks_error_then_always(flow):
    calls = Recorder()
    flow.post('/fail', Document(text='bad'), calls.done, calls.error, calls.always)
    assert calls.events == [('error', 'bad'), ('always', 'bad')]


def test_on_done_takes_errors_where_nothing_else_does(flow, caplog):
    calls = Recorder()
    flow.post('/fail', Document(text='bad'), calls.done)
    assert calls.events == [('done', 'bad')]


def test_one_failure_does_not_touch_the_other_requests(flow):
    responses = posted(flow, '/fail', [Document(text=t) for t in ('a', 'bad', 'c')], request_size=1)
    assert [r.status.code for r in responses] == [0, StatusCode.ERROR, 0]
    assert [r.docs[0].text for r in responses] == ['a', 'bad', 'c']


def test_an_error_names_who_and_why_and_holds_the_documents_sent(flow):
    [response] = posted(flow, '/fail', [Document(text='bad'), Document(text='b')], target_peapod='second')
    assert [d.text for d in response.docs] == ['bad', 'b']
    assert response.status.description == "Executor 'second' (Work) failed on '/fail': ValueError: no good"
    exception = response.status.exception
    assert (exception.name, exception.args, exception.executor) == ('ValueError', ('no good',), 'Work')
    assert "raise ValueError('no good')" in ''.join(exception.stacks)
    assert 'jina/worker' not in ''.join(exception.stacks)


def test_executors_after_a_failed_one_do_not_run(flow):
    [response] = posted(flow, '/fail', Document(text='bad'))
    assert [r.pod for r in response.routes] == ['gateway', 'first']


@pytest.mark.parametrize('event', ['on_done', 'on_error', 'on_always'])
def test_a_callback_that_raises_ends_post_and_the_flow_stays_usable(flow, event):
    def wrong(response):
        raise LookupError('in my callback')

    with pytest.raises(BadClientCallback, match=rf'{event}=wrong raised LookupError: in my callback') as caught:
        flow.post(
            '/fail' if event == 'on_error' else '/', [Document(text='bad')] * 50, request_size=1, **{event: wrong}
        )
    assert isinstance(caught.value.__cause__, LookupError)
    assert posted(flow, '/', Document(text='x'))[0].docs[0].text == 'x first second'


def test_continue_on_error_logs_and_goes_on(flow, capfd):
    def wrong(response):
        raise LookupError('in my callback')

    calls = Recorder()
    responses = posted(flow, '/index', docs_of(3), wrong, None, calls.always, request_size=1, continue_on_error=True)
    assert len(responses) == 3
    assert len(calls.events) == 3
    assert capfd.readouterr().err.count('on_done=wrong raised LookupError: in my callback') == 3


def test_keyboard_interrupt_in_a_callback_is_not_swallowed(flow):
    def interrupted(response):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flow.post('/', docs_of(5), interrupted, request_size=1, continue_on_error=True)
    assert sizes(posted(flow, '/', docs_of(2))) == [2]


def test_results_are_in_the_order_of_the_requests(flow):
    responses = posted(flow, '/index', docs_of(500), request_size=1)
    assert [r.docs[0].text for r in responses] == [str(i) for i in range(500)]


def test_progress_goes_to_stderr_only(flow, capfd):
    flow.post('/', docs_of(25), request_size=10, show_progress=True)
    printed = capfd.readouterr()
    assert printed.out == ''
    assert '25 documents in' in printed.err


def test_progress_of_inputs_without_a_length(flow, capfd):
    flow.post('/', iter(docs_of(25)), request_size=10, show_progress=True)
    assert '25 documents in' in capfd.readouterr().err


@pytest.mark.parametrize('protocol', ['native', 'grpc'])
def test_large_arrays_come_back_equal(flow, protocol):
    array = np.random.default_rng(1).random((1250, 1000))  # 10 MB
    client = flow if protocol == 'native' else flow.client
    responses = posted(client, '/double', [Document(blob=array), Document(blob=array + 1)], request_size=1)
    np.testing.assert_array_equal(responses[0].docs[0].blob, array * 4)
    np.testing.assert_array_equal(responses[1].docs[0].blob, (array + 1) * 4)
    if client is not flow:
        client.close()


def test_the_client_of_a_flow_speaks_its_public_protocol(flow):
    with flow.client as client:
        responses = client.post('/', docs_of(5), request_size=2, return_results=True)
        assert [d.text for r in responses for d in r.docs] == [f'{i} first second' for i in range(5)]
        [response] = client.post('/tell', parameters={'a': 1}, return_results=True)
        assert response.docs[0].text == "{'a': 1}"


def test_inputs_are_not_read_further_than_the_window(flow):
    """A slow Executor slows the generator, so that memory does not grow with what is to come."""
    read, ahead = [], []

    def inputs():
        for i in range(2000):
            read.append(i)
            yield Document(text=str(i))

    flow.post('/slow', inputs, lambda r: ahead.append(len(read) - 10 * len(ahead)), request_size=10)
    assert len(ahead) == 200
    assert max(ahead) <= 10 * (WINDOW + 2)


@pytest.mark.parametrize('inputs', [b'bytes', 3, {'a': 1}, lambda: b'bytes'])
def test_inputs_that_are_no_documents_are_refused(flow, inputs):
    with pytest.raises(BadClientInput, match=r'inputs is a (bytes|int|dict): it takes a Document'):
        flow.post('/', inputs)


def test_an_item_that_is_no_document_is_named_with_its_position(flow):
    with pytest.raises(BadClientInput, match='inputs holds a str at position 3'):
        flow.post('/', [*docs_of(3), 'text'], request_size=2)
    with pytest.raises(BadClientInput, match='inputs holds a NoneType at position 0'):
        flow.post('/', [None])


def test_inputs_that_raise_end_post_after_what_was_sent_is_answered(flow):
    def inputs():
        yield from docs_of(2)
        raise LookupError('no more')

    calls = Recorder()
    with pytest.raises(BadClientInput, match=r'inputs raised LookupError after 2 Documents .*no more') as caught:
        flow.post('/index', inputs, calls.done, request_size=1)
    assert isinstance(caught.value.__cause__, LookupError)
    assert calls.events == [('done', '0'), ('done', '1')]


def test_an_endpoint_that_is_no_string_is_refused(flow):
    with pytest.raises(BadOption, match='the endpoint is a string'):
        flow.post(Document())


@pytest.mark.parametrize(
    ('argument', 'hint'),
    [('request_sise', r"did you mean 'request_size'\?$"), ('top_k', r"parameters=\{'top_k': …\} gives it to the Exec")],
)
def test_an_unknown_argument_is_ignored_with_a_warning(flow, argument, hint):
    with pytest.warns(UserWarning, match=rf'^post\(\) has no argument {argument!r} and ignores it.*{hint}') as seen:
        [response] = flow.search(Document(text='a'), return_results=True, **{argument: 1})
    assert response.status.code == 0
    assert [warning.filename for warning in seen] == [__file__]


def test_async_inputs_are_refused_by_a_blocking_flow(flow):
    async def inputs():
        yield Document()

    with pytest.raises(BadClientInput, match='inputs is asynchronous: use AsyncFlow'):
        flow.post('/', inputs)


def gather(flow, *arguments, **options):
    async def main():
        return [response async for response in flow.post(*arguments, **options)]

    return asyncio.run(main())


async def async_docs():
    for doc in docs_of(5):
        yield doc


@pytest.mark.parametrize('inputs', [async_docs, async_docs(), docs_of(5), lambda: iter(docs_of(5))])
def test_async_post_takes_all_kinds_of_inputs(async_flow, inputs):
    responses = gather(async_flow, '/', inputs, request_size=2)
    assert [d.text for r in responses for d in r.docs] == [f'{i} first' for i in range(5)]
    assert sizes(responses) == [2, 2, 1]


def test_async_post_calls_back(async_flow):
    calls = Recorder()
    gather(async_flow, '/fail', Document(text='bad'), calls.done, calls.error, calls.always)
    assert calls.events == [('error', 'bad'), ('always', 'bad')]
    with pytest.raises(BadClientCallback, match=r'on_done=.* raised ZeroDivisionError'):
        gather(async_flow, '/', Document(), lambda r: 1 / 0)


def test_async_post_may_be_left_early(async_flow):
    async def main():
        async for response in async_flow.post('/', (Document() for _ in range(1000)), request_size=1):
            return len(response.docs)
        return None

    assert asyncio.run(main()) == 1
    assert len(gather(async_flow, '/', docs_of(3))) == 1


def test_several_async_posts_at_a_time(async_flow):
    async def one(number):
        docs = [Document(text=f'{number}.{i}') for i in range(20)]
        return [d.text async for r in async_flow.post('/', docs, request_size=3) for d in r.docs]

    async def main():
        return await asyncio.gather(*map(one, range(10)))

    assert asyncio.run(main()) == [[f'{n}.{i} first' for i in range(20)] for n in range(10)]


def test_async_inputs_that_raise(async_flow):
    async def inputs():
        yield Document()
        raise LookupError('no more')

    with pytest.raises(BadClientInput, match='inputs raised LookupError after 1 Documents'):
        gather(async_flow, '/', inputs)


def test_an_error_nobody_takes_is_logged(flow, capfd):
    flow.post('/fail', Document(text='bad'), target_peapod='first')
    assert "Executor 'first' (Work) failed on '/fail': ValueError: no good" in capfd.readouterr().err
