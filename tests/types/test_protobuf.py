"""One Document as protobuf; the codec itself has the suite tests/wire/test_codecs.py."""

import numpy as np

from jina import Document
from jina.proto.jina_pb2 import DocumentProto


def test_a_document_is_bytes_that_others_read():
    doc = Document(text='hello', tags={'a': 1}, embedding=np.array([1, 2], np.float32), chunks=[Document(text='he')])
    read = DocumentProto.FromString(doc.binary_str())
    assert (read.id, read.text, read.tags['a'], read.chunks[0].text) == (doc.id, 'hello', 1, 'he')
    assert list(read.embedding.dense.shape) == [2]
