import datetime
from collections.abc import Iterable as _Iterable
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar

from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper

DESCRIPTOR: _descriptor.FileDescriptor

class RequestProto(_message.Message):
    __slots__ = ('control', 'data', 'header', 'parameters', 'request_id', 'routes', 'status')
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    control: ControlRequestProto
    data: DataRequestProto
    header: HeaderProto
    parameters: _struct_pb2.Struct
    routes: _containers.RepeatedCompositeFieldContainer[RouteProto]
    status: StatusProto
    def __init__(
        self,
        request_id: str | None = ...,
        control: ControlRequestProto | _Mapping | None = ...,
        data: DataRequestProto | _Mapping | None = ...,
        header: HeaderProto | _Mapping | None = ...,
        parameters: _struct_pb2.Struct | _Mapping | None = ...,
        routes: _Iterable[RouteProto | _Mapping] | None = ...,
        status: StatusProto | _Mapping | None = ...,
    ) -> None: ...

class RawRequestProto(_message.Message):
    __slots__ = ('control', 'data', 'header', 'parameters', 'request_id', 'routes', 'status')
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    control: bytes
    data: bytes
    header: HeaderProto
    parameters: _struct_pb2.Struct
    routes: _containers.RepeatedCompositeFieldContainer[RouteProto]
    status: StatusProto
    def __init__(
        self,
        request_id: str | None = ...,
        control: bytes | None = ...,
        data: bytes | None = ...,
        header: HeaderProto | _Mapping | None = ...,
        parameters: _struct_pb2.Struct | _Mapping | None = ...,
        routes: _Iterable[RouteProto | _Mapping] | None = ...,
        status: StatusProto | _Mapping | None = ...,
    ) -> None: ...

class ControlRequestProto(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DataRequestProto(_message.Message):
    __slots__ = ('docs', 'groundtruths')
    DOCS_FIELD_NUMBER: _ClassVar[int]
    GROUNDTRUTHS_FIELD_NUMBER: _ClassVar[int]
    docs: _containers.RepeatedCompositeFieldContainer[DocumentProto]
    groundtruths: _containers.RepeatedCompositeFieldContainer[DocumentProto]
    def __init__(
        self,
        docs: _Iterable[DocumentProto | _Mapping] | None = ...,
        groundtruths: _Iterable[DocumentProto | _Mapping] | None = ...,
    ) -> None: ...

class HeaderProto(_message.Message):
    __slots__ = ('exec_endpoint', 'no_propagate', 'target_peapod')
    EXEC_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    TARGET_PEAPOD_FIELD_NUMBER: _ClassVar[int]
    NO_PROPAGATE_FIELD_NUMBER: _ClassVar[int]
    exec_endpoint: str
    target_peapod: str
    no_propagate: bool
    def __init__(
        self, exec_endpoint: str | None = ..., target_peapod: str | None = ..., no_propagate: bool | None = ...
    ) -> None: ...

class RouteProto(_message.Message):
    __slots__ = ('end_time', 'pod', 'pod_id', 'start_time', 'status')
    POD_FIELD_NUMBER: _ClassVar[int]
    POD_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    pod: str
    pod_id: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    status: StatusProto
    def __init__(
        self,
        pod: str | None = ...,
        pod_id: str | None = ...,
        start_time: datetime.datetime | _timestamp_pb2.Timestamp | _Mapping | None = ...,
        end_time: datetime.datetime | _timestamp_pb2.Timestamp | _Mapping | None = ...,
        status: StatusProto | _Mapping | None = ...,
    ) -> None: ...

class StatusProto(_message.Message):
    __slots__ = ('code', 'description', 'exception')
    class StatusCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SUCCESS: _ClassVar[StatusProto.StatusCode]
        PENDING: _ClassVar[StatusProto.StatusCode]
        READY: _ClassVar[StatusProto.StatusCode]
        ERROR: _ClassVar[StatusProto.StatusCode]
        ERROR_DUPLICATE: _ClassVar[StatusProto.StatusCode]
        ERROR_NOTALLOWED: _ClassVar[StatusProto.StatusCode]
        ERROR_CHAINED: _ClassVar[StatusProto.StatusCode]

    SUCCESS: StatusProto.StatusCode
    PENDING: StatusProto.StatusCode
    READY: StatusProto.StatusCode
    ERROR: StatusProto.StatusCode
    ERROR_DUPLICATE: StatusProto.StatusCode
    ERROR_NOTALLOWED: StatusProto.StatusCode
    ERROR_CHAINED: StatusProto.StatusCode
    class ExceptionProto(_message.Message):
        __slots__ = ('args', 'executor', 'name', 'stacks')
        NAME_FIELD_NUMBER: _ClassVar[int]
        ARGS_FIELD_NUMBER: _ClassVar[int]
        STACKS_FIELD_NUMBER: _ClassVar[int]
        EXECUTOR_FIELD_NUMBER: _ClassVar[int]
        name: str
        args: _containers.RepeatedScalarFieldContainer[str]
        stacks: _containers.RepeatedScalarFieldContainer[str]
        executor: str
        def __init__(
            self,
            name: str | None = ...,
            args: _Iterable[str] | None = ...,
            stacks: _Iterable[str] | None = ...,
            executor: str | None = ...,
        ) -> None: ...

    CODE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    code: StatusProto.StatusCode
    description: str
    exception: StatusProto.ExceptionProto
    def __init__(
        self,
        code: StatusProto.StatusCode | str | None = ...,
        description: str | None = ...,
        exception: StatusProto.ExceptionProto | _Mapping | None = ...,
    ) -> None: ...

class DocumentProto(_message.Message):
    __slots__ = (
        'adjacency',
        'blob',
        'buffer',
        'chunks',
        'embedding',
        'evaluations',
        'granularity',
        'graph',
        'id',
        'location',
        'matches',
        'mime_type',
        'modality',
        'offset',
        'parent_id',
        'scores',
        'tags',
        'text',
        'uri',
        'weight',
    )
    class ScoresEntry(_message.Message):
        __slots__ = ('key', 'value')
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: NamedScoreProto
        def __init__(self, key: str | None = ..., value: NamedScoreProto | _Mapping | None = ...) -> None: ...

    class EvaluationsEntry(_message.Message):
        __slots__ = ('key', 'value')
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: NamedScoreProto
        def __init__(self, key: str | None = ..., value: NamedScoreProto | _Mapping | None = ...) -> None: ...

    ID_FIELD_NUMBER: _ClassVar[int]
    BUFFER_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    GRAPH_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    GRANULARITY_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    ADJACENCY_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    buffer: bytes
    blob: NdArrayProto
    text: str
    graph: GraphProto
    chunks: _containers.RepeatedCompositeFieldContainer[DocumentProto]
    weight: float
    matches: _containers.RepeatedCompositeFieldContainer[DocumentProto]
    uri: str
    mime_type: str
    tags: _struct_pb2.Struct
    granularity: int
    parent_id: str
    location: _containers.RepeatedScalarFieldContainer[int]
    offset: int
    embedding: NdArrayProto
    modality: str
    adjacency: int
    scores: _containers.MessageMap[str, NamedScoreProto]
    evaluations: _containers.MessageMap[str, NamedScoreProto]
    def __init__(
        self,
        id: str | None = ...,
        buffer: bytes | None = ...,
        blob: NdArrayProto | _Mapping | None = ...,
        text: str | None = ...,
        graph: GraphProto | _Mapping | None = ...,
        chunks: _Iterable[DocumentProto | _Mapping] | None = ...,
        weight: float | None = ...,
        matches: _Iterable[DocumentProto | _Mapping] | None = ...,
        uri: str | None = ...,
        mime_type: str | None = ...,
        tags: _struct_pb2.Struct | _Mapping | None = ...,
        granularity: int | None = ...,
        parent_id: str | None = ...,
        location: _Iterable[int] | None = ...,
        offset: int | None = ...,
        embedding: NdArrayProto | _Mapping | None = ...,
        modality: str | None = ...,
        adjacency: int | None = ...,
        scores: _Mapping[str, NamedScoreProto] | None = ...,
        evaluations: _Mapping[str, NamedScoreProto] | None = ...,
    ) -> None: ...

class NdArrayProto(_message.Message):
    __slots__ = ('dense', 'sparse')
    DENSE_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    dense: DenseNdArrayProto
    sparse: SparseNdArrayProto
    def __init__(
        self, dense: DenseNdArrayProto | _Mapping | None = ..., sparse: SparseNdArrayProto | _Mapping | None = ...
    ) -> None: ...

class DenseNdArrayProto(_message.Message):
    __slots__ = ('buffer', 'dtype', 'max_val', 'min_val', 'original_dtype', 'quantization', 'scale', 'shape')
    class QuantizationMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NONE: _ClassVar[DenseNdArrayProto.QuantizationMode]
        FP16: _ClassVar[DenseNdArrayProto.QuantizationMode]
        UINT8: _ClassVar[DenseNdArrayProto.QuantizationMode]

    NONE: DenseNdArrayProto.QuantizationMode
    FP16: DenseNdArrayProto.QuantizationMode
    UINT8: DenseNdArrayProto.QuantizationMode
    BUFFER_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    QUANTIZATION_FIELD_NUMBER: _ClassVar[int]
    MAX_VAL_FIELD_NUMBER: _ClassVar[int]
    MIN_VAL_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_DTYPE_FIELD_NUMBER: _ClassVar[int]
    buffer: bytes
    shape: _containers.RepeatedScalarFieldContainer[int]
    dtype: str
    quantization: DenseNdArrayProto.QuantizationMode
    max_val: float
    min_val: float
    scale: float
    original_dtype: str
    def __init__(
        self,
        buffer: bytes | None = ...,
        shape: _Iterable[int] | None = ...,
        dtype: str | None = ...,
        quantization: DenseNdArrayProto.QuantizationMode | str | None = ...,
        max_val: float | None = ...,
        min_val: float | None = ...,
        scale: float | None = ...,
        original_dtype: str | None = ...,
    ) -> None: ...

class SparseNdArrayProto(_message.Message):
    __slots__ = ('indices', 'shape', 'values')
    INDICES_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    indices: DenseNdArrayProto
    values: DenseNdArrayProto
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(
        self,
        indices: DenseNdArrayProto | _Mapping | None = ...,
        values: DenseNdArrayProto | _Mapping | None = ...,
        shape: _Iterable[int] | None = ...,
    ) -> None: ...

class NamedScoreProto(_message.Message):
    __slots__ = ('description', 'op_name', 'operands', 'ref_id', 'value')
    VALUE_FIELD_NUMBER: _ClassVar[int]
    OP_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    REF_ID_FIELD_NUMBER: _ClassVar[int]
    value: float
    op_name: str
    description: str
    operands: _containers.RepeatedCompositeFieldContainer[NamedScoreProto]
    ref_id: str
    def __init__(
        self,
        value: float | None = ...,
        op_name: str | None = ...,
        description: str | None = ...,
        operands: _Iterable[NamedScoreProto | _Mapping] | None = ...,
        ref_id: str | None = ...,
    ) -> None: ...

class GraphProto(_message.Message):
    __slots__ = ('adjacency', 'edge_features', 'undirected')
    ADJACENCY_FIELD_NUMBER: _ClassVar[int]
    EDGE_FEATURES_FIELD_NUMBER: _ClassVar[int]
    UNDIRECTED_FIELD_NUMBER: _ClassVar[int]
    adjacency: SparseNdArrayProto
    edge_features: _struct_pb2.Struct
    undirected: bool
    def __init__(
        self,
        adjacency: SparseNdArrayProto | _Mapping | None = ...,
        edge_features: _struct_pb2.Struct | _Mapping | None = ...,
        undirected: bool | None = ...,
    ) -> None: ...
