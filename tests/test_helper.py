import socket
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina import enums, helper
from jina.helper import batch_iterator, random_identity, random_port
from jina.spec import ExecutorSpec, FlowSpec


@given(st.lists(st.integers()), st.integers(min_value=1, max_value=20))
def test_batches_are_all_of_it_in_order_and_only_the_last_is_shorter(data, size):
    batches = list(batch_iterator(data, size))
    assert [item for batch in batches for item in batch] == data
    assert all(len(batch) == size for batch in batches[:-1])
    assert all(0 < len(batch) <= size for batch in batches)


@pytest.mark.parametrize('size', [0, -1])
def test_without_a_size_there_is_one_batch(size):
    assert list(batch_iterator(iter('abc'), size)) == [['a', 'b', 'c']]


def test_batches_are_read_as_they_are_needed():
    def endless():
        number = 0
        while True:
            yield number
            number += 1

    batches = batch_iterator(endless(), 2)
    assert [next(batches), next(batches)] == [[0, 1], [2, 3]]


def test_identities_differ_and_are_uuids():
    names = {random_identity() for _ in range(1000)}
    assert len(names) == 1000
    assert all(str(uuid.UUID(name)) == name for name in names)


def test_a_port_is_free():
    port = random_port()
    assert isinstance(port, int)
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', port))


def test_the_interface_is_not_extended_unless_a_program_does():
    assert helper.extend_rest_interface is None


@pytest.mark.parametrize('polling', enums.PollingType)
def test_a_choice_is_taken_as_an_enum_or_as_text(polling):
    for given_as in (polling, polling.value, polling.value.lower()):
        assert ExecutorSpec.from_dict({'polling': given_as}).polling == polling


@pytest.mark.parametrize(
    ('option', 'choices'),
    [('on_error_strategy', enums.OnErrorStrategy), ('runtime_backend', enums.RuntimeBackendType)],
)
def test_every_choice_of_an_executor_is_known(option, choices):
    for choice in choices:
        assert getattr(ExecutorSpec.from_dict({option: choice}), option) == choice.value


def test_every_protocol_is_known():
    assert FlowSpec.from_dict({'protocol': list(enums.GatewayProtocolType)}).protocols == ['grpc', 'http', 'websocket']
