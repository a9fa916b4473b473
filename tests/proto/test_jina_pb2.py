import pickle
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

import jina.proto
from jina.proto import jina_pb2

FOLDER = Path(jina.proto.__file__).parent


def test_the_description_is_that_of_the_proto_file(tmp_path):
    from grpc_tools import protoc

    made, known = tmp_path / 'jina.binpb', files('grpc_tools') / '_proto'
    assert protoc.main(['', f'-I{FOLDER}', f'-I{known}', f'--descriptor_set_out={made}', 'jina.proto']) == 0
    shipped = FileDescriptorSet.FromString((FOLDER / 'jina.binpb').read_bytes())
    assert FileDescriptorSet.FromString(made.read_bytes()) == shipped


def test_messages_are_classes_of_the_module():
    request = jina_pb2.RequestProto(request_id='1', status={'code': jina_pb2.StatusProto.ERROR})
    assert jina_pb2.RequestProto.__module__ == 'jina.proto.jina_pb2'
    assert isinstance(request.status, jina_pb2.StatusProto)
    assert jina_pb2.StatusProto.StatusCode.Name(request.status.code) == 'ERROR'
    assert jina_pb2.StatusProto.ExceptionProto(name='E').name == 'E'
    assert pickle.loads(pickle.dumps(request)) == request


def test_raw_request_has_the_bytes_that_a_request_has_as_messages():
    data = jina_pb2.DataRequestProto(docs=[{'id': '1', 'text': 'hello', 'chunks': [{'id': '2'}]}])
    request = jina_pb2.RequestProto(request_id='r', data=data, header={'exec_endpoint': '/x'})
    raw = jina_pb2.RawRequestProto.FromString(request.SerializeToString())
    assert raw.data == data.SerializeToString()
    assert jina_pb2.RequestProto.FromString(raw.SerializeToString()) == request


def test_raw_request_differs_in_nothing_but_the_body():
    raw, cooked = (m.DESCRIPTOR.fields_by_name for m in (jina_pb2.RawRequestProto, jina_pb2.RequestProto))
    assert {f.name: f.number for f in raw.values()} == {f.name: f.number for f in cooked.values()}
    assert {n for n in raw if raw[n].type != cooked[n].type} == {'control', 'data'}


def test_weight_zero_is_not_no_weight():
    assert jina_pb2.DocumentProto(weight=0).HasField('weight')
    assert not jina_pb2.DocumentProto().HasField('weight')
