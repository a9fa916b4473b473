import json
from pathlib import Path
from typing import get_args

import pytest

from jina.enums import GatewayProtocolType, OnErrorStrategy, PollingType, RuntimeBackendType
from jina.excepts import BadOption
from jina.spec import ExecutorSpec, FlowSpec, GatewaySpec, OnError, Polling, Protocol, WorkerSpec


@pytest.mark.parametrize(
    ('cls', 'options', 'told'),
    [
        (ExecutorSpec, {'use': 'X'}, "me has no option 'use': did you mean 'uses'?"),
        (FlowSpec, {'port': 1}, "me has no option 'port'; it has: cors, description, env, executors"),
        (FlowSpec, {'prot_expose': 1}, "me has no option 'prot_expose': did you mean 'port_expose'?"),
        (FlowSpec, {'port_expose': '80'}, "me: option port_expose='80': Expected int | list, got str"),
        (FlowSpec, {'port_expose': True}, 'me: option port_expose=True: Expected int | list, got bool'),
        (FlowSpec, {'protocol': 'ftp'}, "me: option protocol='ftp': it takes one of: grpc, http, websocket"),
        (FlowSpec, {'quiet': 'yes'}, "me: option quiet='yes': Expected bool, got str"),
        (ExecutorSpec, {'uses': 5}, 'me: option uses=5: Expected str | dict, got int'),
        (ExecutorSpec, {'uses_with': [1]}, 'me: option uses_with=[1]: Expected dict, got list'),
        (ExecutorSpec, {'env': {'A': 1}}, "me: option env={'A': 1}: Expected str, got int"),
        (ExecutorSpec, {'runtime_backend': 'green'}, "runtime_backend='green': it takes one of: PROCESS, THREAD"),
        (ExecutorSpec, {'polling': 'SOME'}, "option polling='SOME': it takes one of: ANY, ALL, ALL_ASYNC"),
        (ExecutorSpec, {'parallel': 0}, 'me: replicas=0: it takes 1 or more'),
        (ExecutorSpec, {'parallel': 2, 'replicas': 3}, 'replicas is another name'),
        (ExecutorSpec, {'external': True}, "external=True needs host='name:port'"),
        (ExecutorSpec, {'host': '1.2.3.4:5'}, 'for one that runs already add external=True'),
        (WorkerSpec, {}, 'me: Object missing required field `executor`'),
    ],
)
def test_a_wrong_option_is_named_with_what_is_right(cls, options, told):
    with pytest.raises(BadOption) as raised:
        cls.from_dict(options, 'me')
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ('cls', 'given'),
    [
        (ExecutorSpec, {'gpus': 'all', 'timeout_ctrl': 5000, 'volumes': ['a'], 'port_in': 1, 'upload_files': 'a.py'}),
        (FlowSpec, {'compress': 'LZ4', 'expose_public': True, 'zmq_identity': 'x', 'inspect': 'HANG'}),
    ],
)
def test_options_that_mean_nothing_here_are_told_and_dropped(cls, given):
    with pytest.warns(UserWarning, match=f'^me: options without effect here: {", ".join(sorted(given))}$') as seen:
        spec = cls.from_dict({'name': 'a', **given}, 'me')
    assert len(seen) == 1
    assert spec.to_dict() == {'name': 'a'}
    assert not cls.without_effect & {*cls.__struct_fields__, *cls.aliases}


@pytest.mark.parametrize('host', ['0.0.0.0', 'localhost', '127.0.0.1'])
def test_an_executor_may_be_said_to_run_on_this_machine(host):
    assert not ExecutorSpec.from_dict({'host': host}).external


def test_the_command_line_may_give_numbers_and_booleans_as_text():
    spec = FlowSpec.from_dict({'port_expose': '80', 'quiet': 'true', 'prefetch': '5'}, strict=False)
    assert (spec.port_expose, spec.quiet, spec.prefetch) == (80, True, 5)


@pytest.mark.parametrize('given', ['all_async', 'ALL_ASYNC', PollingType.ALL_ASYNC])
def test_a_choice_may_be_spelled_in_any_case_or_be_a_member_of_its_enum(given):
    assert ExecutorSpec.from_dict({'polling': given}).polling == 'ALL_ASYNC'


def test_so_may_each_of_a_list():
    given = [GatewayProtocolType.HTTP, 'GRPC']
    assert FlowSpec.from_dict({'protocol': given}).protocol == ['http', 'grpc']


@pytest.mark.parametrize(
    ('choices', 'literal'),
    [
        (PollingType, Polling),
        (OnErrorStrategy, OnError),
        (GatewayProtocolType, Protocol),
        (RuntimeBackendType, ExecutorSpec.__annotations__['runtime_backend'].__origin__),
    ],
)
def test_an_enum_has_what_the_option_takes(choices, literal):
    assert set(choices) == set(get_args(literal))


@pytest.mark.parametrize('name', ['parallel', 'shards', 'replicas'])
def test_replicas_have_several_names(name):
    assert ExecutorSpec.from_dict({name: 3}).replicas == 3


def test_specs_are_frozen():
    with pytest.raises(AttributeError):
        ExecutorSpec().name = 'x'


def test_a_spec_travels_as_plain_types():
    spec = GatewaySpec.from_dict(
        {
            'doors': [{'protocol': 'http', 'port': 5}],
            'nodes': [{'name': 'a', 'needs': ['gateway'], 'addresses': ['unix:/x']}],
            'prefetch': 3,
        }
    )
    travelled = json.loads(json.dumps(spec.to_dict()))
    assert GatewaySpec.from_dict(travelled) == spec
    assert FlowSpec().to_dict() == {}


def test_bytes_among_the_arguments_travel_as_bytes():
    assert ExecutorSpec(uses_with={'key': b'abc'}).to_dict()['uses_with'] == {'key': b'abc'}


def test_an_argument_that_cannot_travel_is_named():
    with pytest.raises(BadOption, match='uses_with'):
        ExecutorSpec(uses_with={'thing': object()}).to_dict()


@pytest.mark.parametrize(
    ('options', 'ports'),
    [
        ({}, [0]),
        ({'port_expose': 5}, [5]),
        ({'protocol': ['grpc', 'http']}, [0, 0]),
        ({'protocol': ['grpc', 'http'], 'port_expose': 5}, [5, 0]),
        ({'protocol': ['grpc', 'http'], 'port_expose': [5, 6]}, [5, 6]),
    ],
)
def test_there_is_a_port_for_each_protocol(options, ports):
    assert FlowSpec.from_dict(options).ports == ports


def test_ports_that_do_not_fit_the_protocols_are_refused():
    with pytest.raises(BadOption, match='a port for each'):
        FlowSpec(port_expose=[1, 2]).ports  # noqa: B018


def test_one_of_several_may_be_given_alone():
    assert ExecutorSpec(needs='a').needed == ['a']
    assert ExecutorSpec(needs=['a', 'b']).needed == ['a', 'b']
    assert ExecutorSpec().needed == []
    assert ExecutorSpec(py_modules='a.py').modules == ['a.py']


def test_a_path_is_its_text():
    path = Path('a/b.yml')
    spec = ExecutorSpec.from_dict({'uses': path, 'workspace': path, 'py_modules': [path]})
    assert (spec.uses, spec.workspace, spec.py_modules) == (str(path), str(path), [str(path)])


def test_loose_are_those_that_nobody_waits_for():
    def loose(*executors):
        return FlowSpec.from_dict({'executors': list(executors)}).loose

    a, b = {'name': 'a'}, {'name': 'b', 'needs': 'gateway'}
    assert loose() == []
    assert loose(a, {'name': 'b'}) == ['b']
    assert loose(a, b) == ['a', 'b']
    assert loose(a, b, {'name': 'c', 'needs': ['a']}) == ['b', 'c']
    assert loose(a, b, {'name': 'looks', 'needs': ['a'], 'inspect': True}, {'name': 'c'}) == ['a', 'c']


def test_what_cannot_be_sent_is_named_and_not_all_that_is_around_it():
    spec = WorkerSpec(executor=ExecutorSpec(name='p', py_modules=['long'] * 1000, uses_with={'a': object()}))
    with pytest.raises(BadOption, match=r"^ExecutorSpec: uses_with=\{'a': <object .*>\} cannot be sent") as raised:
        spec.to_dict()
    assert len(str(raised.value)) < 200
