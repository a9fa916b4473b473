"""What the Executor seed says between its code blocks."""

import numpy as np
import pytest

from jina import Document, DocumentArray, Executor, Flow, requests
from jina.excepts import BadOption


class Keeps(Executor):
    """Any names, any number of functions, one state."""

    def __init__(self, start=0, **kwargs):
        super().__init__(**kwargs)
        self.count = start

    @requests(on='/first')
    def any_name(self, docs, **kwargs):
        self.helper()

    @requests(on='/second')
    def _another(self, docs, **kwargs):
        self.helper(by=10)

    def helper(self, *args, by=1, **kwargs):
        assert (args, kwargs) == ((), {})  # it is given what it is called with, and nothing of the request
        self.count += by

    @requests(on='/show')
    def show(self, **kwargs):
        return [Document(text=str(self.count))]


class Without(Executor):
    """It has no ``__init__``, and marks the documents in place."""

    @requests
    def mark(self, docs, **kwargs):
        for doc in docs:
            doc.text += '!'


class Unbound(Executor):
    def foo(self, docs, **kwargs):
        raise AssertionError('nobody is to call it')


class Tells(Executor):
    """Returns what it is called with."""

    @requests
    def tell(self, *args, **kwargs):
        assert args == ()
        tags = {name: shown(value) for name, value in kwargs.items()}
        return DocumentArray([Document(text=','.join(kwargs), tags=tags)])


def shown(value):
    if isinstance(value, DocumentArray):
        return [doc.text for doc in value]
    return [shown(one) for one in value] if isinstance(value, list) else value


class Configured(Executor):
    """Reads what it is injected, and sends it on changed."""

    def __init__(self, foo, change=False, **kwargs):
        self.given = {name: dict(values) for name, values in kwargs.items()}
        if change:
            kwargs['metas']['description'] = 'changed'
            kwargs['requests']['/changed'] = 'show'
            kwargs['runtime_args']['workspace'] = 'changed'
        super().__init__(**kwargs)
        self.seen = {
            'metas': dict(self.metas),
            'requests': dict(self.requests),
            'runtime_args': dict(self.runtime_args),
            'names': [self.metas.name, self.requests['/yaml'], self.runtime_args.name],
        }

    @requests
    def show(self, **kwargs):
        return [Document(tags={'given': self.given, 'seen': self.seen})]


class Returns(Executor):
    """Changes the documents in place, and returns what the parameters name."""

    @requests
    def change(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = 'changed'
        returned = {
            'none': None,
            'docs': docs,
            'copy': DocumentArray(docs),
            'slice': docs[:],
            'list': list(docs),
            'new': DocumentArray([Document(text='new')]),
            'empty': DocumentArray(),
        }
        return returned[parameters['return']]


def texts(response):
    return [doc.text for doc in response.docs]


def post(flow, on='/', inputs=None, **options):
    [response] = flow.post(on, inputs, return_results=True, **options)
    assert response.status.code == 0, response.status.description
    return response


@pytest.fixture(scope='module')
def flow():
    threads = {'runtime_backend': 'THREAD'}
    f = Flow().add(name='keeps', uses=Keeps, **threads).add(name='without', uses=Without, **threads)
    f.add(name='unbound', uses=Unbound, **threads).add(name='tells', uses=Tells, **threads)
    with f.add(name='returns', uses=Returns, **threads).add(name='next', uses=Without, **threads) as flow:
        yield flow


# Principles


def test_an_executor_changes_documents_in_place(flow):
    [doc] = post(flow, inputs=Document(id='same', text='a'), target_peapod='without').docs
    assert (doc.id, doc.text) == ('same', 'a!')


def test_only_subclasses_of_executor_are_executors():
    class Other:
        pass

    with pytest.raises(BadOption, match=r'must subclass jina\.Executor'):
        Flow().add(uses=Other)


def test_a_class_may_have_any_name():
    f = Flow()
    for name in ('_x', 'lower', 'Überführung', 'type', 'Flow'):
        f.add(uses=type(name, (Without,), {}), runtime_backend='THREAD')
    with f:
        assert texts(post(f, inputs=Document())) == ['!!!!!']


def test_functions_of_any_name_share_state(flow):
    for endpoint in ('/first', '/second', '/second', '/nothing-bound'):
        post(flow, endpoint, Document(), target_peapod='keeps')
    assert texts(post(flow, '/show', target_peapod='keeps')) == ['21']


def test_without_init_there_is_nothing_to_do(flow):
    assert '__init__' not in vars(Without)
    assert texts(post(flow, inputs=Document(), target_peapod='without')) == ['!']


# __init__


YAML = """
jtype: Configured
with: {{foo: from yaml, change: {change}}}
metas: {{name: told, description: in yaml}}
requests: {{/yaml: show}}
"""


@pytest.mark.parametrize('change', [False, True])
def test_metas_requests_and_runtime_args_are_injected_and_may_be_changed(change):
    with Flow().add(name='here', uses=YAML.format(change=change), runtime_backend='THREAD') as f:
        tags = post(f, '/yaml').docs[0].tags
        given, seen = tags['given'], tags['seen']
        assert set(given) == {'metas', 'requests', 'runtime_args'}
        assert (given['metas']['name'], given['metas']['description']) == ('told', 'in yaml')
        assert given['requests']['/yaml'] == 'show'
        assert given['runtime_args']['name'] == 'here'
        assert seen['names'] == ['told', 'show', 'here']
        assert seen['metas']['description'] == ('changed' if change else 'in yaml')
        assert ('/changed' in seen['requests']) is change
        assert (seen['runtime_args'].get('workspace') == 'changed') is change


# Methods


def test_methods_that_are_not_bound_play_no_part(flow):
    for endpoint in ('/foo', 'foo', '/default'):
        assert texts(post(flow, endpoint, Document(text='as it was'), target_peapod='unbound')) == ['as it was']


def test_several_endpoints_for_one_method():
    class Several(Executor):
        @requests(on=['/foo', '/bar'])
        def both(self, **kwargs):
            return [Document(text='called')]

    with Flow().add(uses=Several, runtime_backend='THREAD') as f:
        assert [texts(post(f, on)) for on in ('/foo', '/bar', '/blah')] == [['called'], ['called'], []]


def test_a_class_without_bindings_passes_everything_on(flow):
    sent = Document(
        text='x', tags={'a': [1, {'b': 'c'}]}, embedding=np.arange(3.0), chunks=[Document(text='c')],
        matches=[Document(text='m', scores={'cos': 0.5})],
    )  # fmt: skip
    response = post(flow, '/any', [(sent, Document(text='truth'))], target_peapod='unbound', parameters={'a': 1})
    assert response.docs[0].dict() == sent.dict()
    assert [doc.text for doc in response.groundtruths] == ['truth']


# Arguments


def test_names_and_order_of_the_arguments(flow):
    order = 'docs,parameters,docs_matrix,groundtruths,groundtruths_matrix'
    assert texts(post(flow, target_peapod='tells')) == [order]


def tell(flow, inputs, **options):
    return post(flow, '/', inputs, **options).docs[0].tags


def test_arguments_of_one_request(flow):
    pairs = [(Document(text='d1'), Document(text='t1')), (Document(text='d2'), Document(text='t2'))]
    told = tell(flow, pairs, parameters={'a': {'b': 1}}, target_peapod='tells')
    assert (told['docs'], told['groundtruths']) == (['d1', 'd2'], ['t1', 't2'])
    assert told['parameters'] == {'a': {'b': 1}}
    assert (told['docs_matrix'], told['groundtruths_matrix']) == (None, None)


def test_docs_without_elements_are_none(flow):
    told = tell(flow, None, target_peapod='tells')
    assert (told['docs'], told['groundtruths'], told['parameters']) == (None, None, {})
    told = tell(flow, DocumentArray(), target_peapod='tells')
    assert told['docs'] is None


def test_arguments_of_several_requests():
    threads = {'runtime_backend': 'THREAD'}
    f = Flow().add(name='a', uses=Without, **threads).add(name='b', needs='gateway')
    with f.add(uses=Tells, needs=['a', 'b'], **threads) as f:
        told = tell(f, [(Document(text=f'd{n}'), Document(text=f't{n}')) for n in range(2)], parameters={'a': 1})
        assert told['docs'] == ['d0!', 'd1!', 'd0', 'd1']
        assert told['docs_matrix'] == [['d0!', 'd1!'], ['d0', 'd1']]
        assert told['groundtruths'] == ['t0', 't1', 't0', 't1']
        assert told['groundtruths_matrix'] == [['t0', 't1'], ['t0', 't1']]
        assert told['parameters'] == {'a': 1}


# Returns


@pytest.mark.parametrize('returned', ['none', 'docs', 'copy', 'slice', 'list'])
def test_what_is_returned_of_the_same_documents_changes_nothing(flow, returned):
    docs = [Document(id=name) for name in 'abc']
    response = post(flow, '/', docs, parameters={'return': returned}, target_peapod='returns|next')
    assert [(doc.id, doc.text) for doc in response.docs] == [(name, 'changed!') for name in 'abc']


def test_what_is_returned_takes_the_place_of_docs_and_goes_to_the_next(flow):
    options = {'inputs': [Document(), Document()], 'target_peapod': 'returns|next'}
    assert texts(post(flow, parameters={'return': 'new'}, **options)) == ['new!']
    assert texts(post(flow, parameters={'return': 'empty'}, inputs=Document(), target_peapod='returns')) == []
