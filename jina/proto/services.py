"""The messages of the services that gRPC servers of all kinds have, health and reflection, and what reflection tells.

Generated is their description, ``services.binpb``, by ``make proto``. They live in a pool of their own: a program may
have the same messages from another package, and one pool takes a name only once.
"""

import pkgutil
from typing import Any

from google.protobuf import struct_pb2, timestamp_pb2
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from jina.proto import jina_pb2

_OURS_ONLY = 'RawRequestProto'  # another form of RequestProto, which nobody else needs to know


def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    services = FileDescriptorSet.FromString(pkgutil.get_data(__package__, 'services.binpb') or b'')
    for file in (*map(_description, (struct_pb2, timestamp_pb2)), _public(_description(jina_pb2)), *services.file):
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _description(module: Any) -> FileDescriptorProto:
    return FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)


def _public(file: FileDescriptorProto) -> FileDescriptorProto:
    shown = [message for message in file.message_type if message.name != _OURS_ONLY]
    del file.message_type[:]
    file.message_type.extend(shown)
    return file


_POOL = _pool()


def message(name: str) -> Any:
    """The class of a message, by its full name."""
    return GetMessageClass(_POOL.FindMessageTypeByName(name))


def file_named(name: str) -> list[bytes]:
    """The description of a file such as ``jina.proto``, and of those that it imports.

    :raises KeyError: if there is no such file.
    """
    return _with_imports(_POOL.FindFileByName(name))


def file_defining(symbol: str) -> list[bytes]:
    """The description of the file in which a service, method, message or field is defined, and of those it imports.

    :raises KeyError: if there is no such symbol.
    """
    try:
        return _with_imports(_POOL.FindFileContainingSymbol(symbol))
    except KeyError:  # it does not look for methods
        return _with_imports(_POOL.FindMethodByName(symbol).containing_service.file)


def _with_imports(file: FileDescriptor) -> list[bytes]:
    return [each.serialized_pb for each in (file, *file.dependencies)]
