import copy
import pickle

import numpy as np
import pytest

from jina.excepts import BadDocType, BadOption
from jina.types.document import Document
from jina.types.document.multimodal import MultimodalDocument


class TestConstructor:
    def test_contents(self):
        doc = MultimodalDocument(modality_content_map={'image': np.ones((2, 2)), 'text': 'hi', 'sound': b'la'})
        assert doc.modalities == ['image', 'text', 'sound']
        assert [chunk.content_type for chunk in doc.chunks] == ['blob', 'text', 'buffer']
        assert doc.modality_content_map['text'] == 'hi'
        assert doc.is_valid

    def test_chunks(self):
        chunks = [Document(modality='x', text='t'), Document(modality='y', buffer=b'z')]
        doc = MultimodalDocument(chunks=chunks, tags={'a': 1}, granularity=2)
        assert doc.modality_content_map == {'x': 't', 'y': b'z'}
        assert [(chunk.granularity, chunk.parent_id) for chunk in doc.chunks] == [(3, doc.id)] * 2

    def test_one_or_the_other(self):
        with pytest.raises(BadOption, match='either'):
            MultimodalDocument(chunks=[], modality_content_map={})

    @pytest.mark.parametrize('options', [{'chunks': ['x']}, {'modality_content_map': ['x']}])
    def test_wrong_types(self, options):
        with pytest.raises(BadDocType):
            MultimodalDocument(**options)

    def test_a_view_of_what_arrives(self):
        arrived = Document(chunks=[Document(modality='x', text='t')])
        doc = MultimodalDocument(arrived)
        assert doc.modality_content_map == {'x': 't'}
        doc.modality_content_map = {'x': 'u', 'y': 'v'}
        assert [chunk.text for chunk in arrived.chunks] == ['u', 'v']


class TestContents:
    @pytest.fixture
    def doc(self):
        return MultimodalDocument(modality_content_map={'a': '1', 'b': '2'})

    def test_setting_changes_and_adds(self, doc):
        first = doc.chunks[0]
        doc.modality_content_map = {'a': b'new', 'c': '3'}
        assert doc.modality_content_map == {'a': b'new', 'b': '2', 'c': '3'}
        assert doc.chunks[0] is first

    def test_a_wrong_content_changes_nothing(self, doc):
        with pytest.raises(BadDocType):
            doc.modality_content_map = {'a': 'new', 'c': object()}
        assert doc.modality_content_map == {'a': '1', 'b': '2'}

    def test_validity(self, doc):
        assert doc.is_valid
        assert not MultimodalDocument().is_valid
        doc.chunks.append(Document(modality='a', text='3'))
        assert not doc.is_valid
        assert doc.modality_content_map['a'] == '3'

    def test_by_modality(self, doc):
        assert [doc[modality] for modality in ('a', 'b', 'c')] == ['1', '2', None]
        assert 'a' in doc
        assert 'c' not in doc
        doc.chunks.append(Document(modality='a', buffer=b'3'))
        assert doc['a'] == b'3'

    @pytest.mark.parametrize('key', [0, slice(1), None])
    def test_by_something_else(self, doc, key):
        with pytest.raises(TypeError, match='indexed by the name of a modality'):
            doc[key]

    def test_it_is_no_sequence(self, doc):
        with pytest.raises(TypeError):
            list(doc)

    def test_copies(self, doc):
        for again in (copy.deepcopy(doc), pickle.loads(pickle.dumps(doc)), MultimodalDocument(doc.json())):
            assert type(again) is MultimodalDocument
            assert again == doc
            assert again.modality_content_map == doc.modality_content_map
