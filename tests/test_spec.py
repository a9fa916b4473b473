import json

import pytest

from jina.excepts import BadOption
from jina.spec import ExecutorSpec, FlowSpec, GatewaySpec, WorkerSpec


@pytest.mark.parametrize(
    ('cls', 'options', 'told'),
    [
        (ExecutorSpec, {'use': 'X'}, "me has no option 'use': did you mean 'uses'?"),
        (FlowSpec, {'port': 1}, "me has no option 'port'; it has: env, executors, host"),
        (FlowSpec, {'prot_expose': 1}, "me has no option 'prot_expose': did you mean 'port_expose'?"),
        (FlowSpec, {'port_expose': '80'}, "me: option port_expose='80': Expected int | list, got str"),
        (FlowSpec, {'port_expose': True}, 'me: option port_expose=True: Expected int | list, got bool'),
        (FlowSpec, {'protocol': 'ftp'}, "me: option protocol='ftp': it takes one of: grpc, http"),
        (FlowSpec, {'quiet': 'yes'}, "me: option quiet='yes': Expected bool, got str"),
        (ExecutorSpec, {'uses': 5}, 'me: option uses=5: Expected str | dict, got int'),
        (ExecutorSpec, {'uses_with': [1]}, 'me: option uses_with=[1]: Expected dict, got list'),
        (ExecutorSpec, {'env': {'A': 1}}, "me: option env={'A': 1}: Expected str, got int"),
        (ExecutorSpec, {'runtime_backend': 'thread'}, "runtime_backend='thread': it takes one of: PROCESS, THREAD"),
        (WorkerSpec, {}, 'me: Object missing required field `executor`'),
    ],
)
def test_a_wrong_option_is_named_with_what_is_right(cls, options, told):
    with pytest.raises(BadOption) as raised:
        cls.from_dict(options, 'me')
    assert told in str(raised.value)


def test_the_command_line_may_give_numbers_and_booleans_as_text():
    spec = FlowSpec.from_dict({'port_expose': '80', 'quiet': 'true', 'prefetch': '5'}, strict=False)
    assert (spec.port_expose, spec.quiet, spec.prefetch) == (80, True, 5)


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
