"""The messages of ``jina.proto``, as classes.

Not generated, so that one file serves every protobuf from 4.25 on: generated code runs with few versions beside its own.
What is generated is their description, ``jina.binpb``, and the types for checkers, by any version of grpcio-tools::

    python -m grpc_tools.protoc -I jina/proto --descriptor_set_out jina/proto/jina.binpb --pyi_out jina/proto \
        jina/proto/jina.proto
    ruff check --fix-only --unsafe-fixes jina/proto && ruff format jina/proto
"""

import pkgutil

from google.protobuf import struct_pb2, timestamp_pb2  # noqa: F401  jina.proto imports them
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass


def _described():
    [file] = FileDescriptorSet.FromString(pkgutil.get_data(__package__, 'jina.binpb')).file
    return Default().AddSerializedFile(file.SerializeToString())


def _message_class(descriptor):
    message = GetMessageClass(descriptor)
    message.__module__ = __name__
    for name, nested in descriptor.nested_types_by_name.items():
        setattr(message, name, _message_class(nested))
    return message


DESCRIPTOR = _described()
globals().update({name: _message_class(each) for name, each in DESCRIPTOR.message_types_by_name.items()})
