"""What the attributes of a Document make of other types than their own."""

from enum import IntEnum
from uuid import UUID

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.excepts import BadDocType, BadDocument

_UUID = '00000000-0000-0000-0000-00000000002a'


class Row(IntEnum):
    FIRST = 4


class Name(str):
    pass


class TestIds:
    @pytest.fixture(
        params=[
            lambda value: Document(id=value).id,
            lambda value: Document(text='x', id=value).id,
            lambda value: Document(Document(), id=value).id,
            lambda value: Document({'id': value}).id,
            lambda value: Document({'chunks': [{'id': value}]}).chunks[0].id,
            lambda value: Document(parent_id=value).parent_id,
            lambda value: Document({'parentId': value}).parent_id,
        ]
    )
    def there(self, request):
        return request.param

    @pytest.mark.parametrize(
        ('value', 'name'),
        [
            *((4, '4'), (0, '0'), (-1, '-1'), (2**70, str(2**70)), (np.int64(4), '4'), (np.uint8(0), '0')),
            *((UUID(_UUID), _UUID), (Row.FIRST, '4'), (Name('x'), 'x')),
        ],
    )
    def test_numbers_and_uuids_become_str(self, there, value, name):
        assert there(value) == name
        assert type(there(value)) is str

    @pytest.mark.parametrize(
        'value', [True, False, np.True_, 4.0, 0.0, float('nan'), b'a', b'', [], [1, 2], np.zeros(2)]
    )
    def test_what_else_is_refused(self, there, value):
        with pytest.raises((BadDocType, BadDocument), match='takes str, not '):
            there(value)

    def test_setting(self):
        doc = Document(chunks=[Document()])
        docs = DocumentArray([doc])
        doc.id, doc.parent_id = np.int32(7), 5
        assert (doc.id, doc.parent_id, doc.chunks[0].parent_id) == ('7', '5', '7')
        assert docs['7'] is doc

    @pytest.mark.parametrize('value', [None, ''])
    def test_nothing_is_a_new_id_in_a_dict(self, value):
        assert len(Document({'id': value}).id) == 32
        assert Document({'parent_id': value}).parent_id == ''


class TestMimeType:
    @pytest.mark.parametrize('extension', ['png', '.png', 'PNG', 'a.png', 'image/png'])
    def test_of_an_extension(self, extension):
        assert Document(mime_type=extension).mime_type == 'image/png'
        assert Document({'mimeType': extension}).mime_type == 'image/png'

    @pytest.mark.parametrize('mime_type', ['my-own', 'image', 'x/y/z', 'application/x-own', '', 'data:a'])
    def test_what_cannot_be_guessed_stays(self, mime_type):
        assert Document(mime_type=mime_type).mime_type == mime_type

    def test_none_resets_it(self):
        doc = Document(mime_type='json')
        doc.mime_type = None
        assert doc.mime_type == ''
