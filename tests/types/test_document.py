import copy
import inspect
import json
import pickle
import subprocess
import sys

import cloudpickle
import numpy as np
import pytest

from jina.excepts import BadDocType, BadDocument, BadOption
from jina.types.arrays import ChunkArray, DocumentArray, MatchArray
from jina.types.document import Document, document_from_dict
from jina.types.score import NamedScore


def full_document() -> Document:
    return Document(
        id='full',
        parent_id='p',
        text='hello',
        uri='a/b.txt',
        mime_type='text/x-own',
        weight=0.5,
        modality='m',
        tags={'a': {'b': [1, 2.5, None, 'x']}},
        location=[1, 2],
        offset=3,
        granularity=1,
        adjacency=2,
        embedding=np.arange(6, dtype='f4').reshape(2, 3),
        chunks=[Document(blob=np.eye(2)), Document(buffer=b'\x00\xff')],
        matches=[Document(text='match', matches=[Document()])],
        scores={'cosine': 0.25, 'rank': NamedScore(1, 'op', 'why', [NamedScore(2)], 'ref')},
        evaluations={'precision': 1},
    )


class TestConstructor:
    def test_empty(self):
        doc = Document()
        assert len(doc.id) == 32
        assert doc.non_empty_fields == ('id',)
        assert (doc.text, doc.buffer, doc.blob, doc.content, doc.content_type) == ('', b'', None, None, None)
        assert (doc.weight, doc.tags, doc.location, doc.embedding) == (0.0, {}, [], None)
        assert len(doc.chunks) == len(doc.matches) == len(doc.scores) == 0

    def test_ids_differ(self):
        assert len({Document().id for _ in range(1000)}) == 1000

    def test_keywords(self):
        doc = full_document()
        assert doc.id == 'full'
        assert doc.mime_type == 'text/x-own'
        assert doc.location == [1, 2]
        assert doc.evaluations['precision'].value == 1.0

    def test_unknown_keyword_names_the_nearest(self):
        with pytest.raises(BadOption, match=r"'txt'; did you mean 'text'"):
            Document(txt='x')

    @pytest.mark.parametrize('name', ['_text', 'content_hash', 'json', 'nothing_like_it'])
    def test_only_settable_attributes_are_keywords(self, name):
        with pytest.raises(BadOption):
            Document(**{name: 'x'})

    def test_none_is_not_set(self):
        assert Document(text=None, blob=None, id=None, tags=None).non_empty_fields == ('id',)

    @pytest.mark.parametrize('contents', [{'text': 'a', 'blob': [1]}, {'content': 'a', 'buffer': b'a'}])
    def test_two_contents_are_refused(self, contents):
        with pytest.raises(BadOption, match='one content'):
            Document(**contents)

    def test_from_document_shares_values(self):
        original = full_document()
        doc = Document(original, weight=2)
        assert (doc.id, doc.weight, original.weight) == ('full', 2.0, 0.5)
        assert doc.embedding is original.embedding
        assert doc.tags is original.tags

    def test_from_document_with_copy(self):
        original = full_document()
        doc = Document(original, copy=True)
        doc.tags['a']['b'].append(1)
        doc.embedding[:] = 0
        doc.chunks[0].text = 'changed'
        assert original == full_document()

    def test_from_dict(self):
        doc = Document({'text': 'hello', 'mimeType': 'a/b', 'parent_id': 'p', 'price': 3, 'weight': None})
        assert (doc.text, doc.mime_type, doc.parent_id) == ('hello', 'a/b', 'p')
        assert doc.tags == {'price': 3}

    def test_keywords_override_the_source(self):
        assert Document({'text': 'a', 'id': 'x'}, text='b', id='y').get_attributes('text', 'id') == ['b', 'y']

    def test_field_resolver(self):
        doc = Document({'question': 'why', 'n': 1}, field_resolver={'question': 'text', 'n': 'number'})
        assert doc.text == 'why'
        assert doc.tags == {'number': 1}

    def test_from_json(self):
        doc = Document('{"id": "x", "embedding": [1, 2], "chunks": [{"text": "a", "foo": "bar"}]}')
        assert doc.id == 'x'
        assert doc.embedding.tolist() == [1, 2]
        assert doc.chunks[0].tags == {'foo': 'bar'}
        assert doc.chunks[0].parent_id == 'x'
        assert doc.chunks[0].granularity == 1

    @pytest.mark.parametrize('text', ['hello', '[1]', '', '{"a":', '[' * 100_000])
    def test_no_json_object(self, text):
        with pytest.raises(BadDocument):
            Document(text)

    def test_other_sources_are_refused(self):
        with pytest.raises(BadDocType, match='not int'):
            Document(5)


class TestContent:
    @pytest.mark.parametrize(
        ('content', 'kind'), [('x', 'text'), ('', 'text'), (b'', 'buffer'), (np.ones(2), 'blob'), ([1, 2], 'blob')]
    )
    def test_content_by_type(self, content, kind):
        doc = Document(content=content)
        assert doc.content_type == kind
        assert doc.content is getattr(doc, kind)

    def test_setting_one_clears_the_others(self):
        doc = Document(text='x')
        doc.buffer = b'y'
        assert (doc.text, doc.content_type) == ('', 'buffer')
        doc.blob = [1, 2]
        assert (doc.buffer, doc.content_type) == (b'', 'blob')
        doc.text = 'z'
        assert (doc.blob, doc.content) == (None, 'z')

    def test_clearing_one_keeps_another(self):
        doc = Document(text='x')
        doc.blob = None
        assert doc.text == 'x'
        doc.content = None
        assert doc.content_type is None

    def test_text_sets_mime_type_once(self):
        assert Document(text='x').mime_type == 'text/plain'
        assert Document(mime_type='text/html', text='x').mime_type == 'text/html'

    def test_uri_guesses_mime_type(self):
        assert Document(uri='http://a/b.png').mime_type == 'image/png'
        assert Document(uri='data:image/gif;base64,AA==').mime_type == 'image/gif'
        assert Document(uri='nothing').mime_type == ''
        assert Document(text='x', uri='b.png').content == 'x'

    def test_nbytes(self):
        small, large = Document(text='x'), Document(text='x' * 1000)
        assert small.nbytes + 999 <= large.nbytes < small.nbytes + 1010
        assert Document(blob=np.zeros(1000)).nbytes > 8000
        assert Document(chunks=[large, large]).nbytes > 2 * large.nbytes

    def test_content_of_another_type(self):
        with pytest.raises(BadDocType, match=r'Document\.content takes str, bytes or an ndarray, not int: 5'):
            Document(content=5)


class TestTypes:
    @pytest.mark.parametrize(
        ('name', 'value', 'wanted'),
        [
            ('text', 5, 'str'),
            ('id', 5.0, 'str'),
            ('buffer', 'x', 'bytes'),
            ('uri', b'x', 'str'),
            ('mime_type', 1, 'str'),
            ('weight', 'x', 'float'),
            ('weight', True, 'float'),
            ('offset', 1.5, 'int'),
            ('granularity', '1', 'int'),
            ('tags', [1], 'a dict'),
            ('tags', {1: 2}, 'a dict with str keys'),
            ('location', 'x', 'a list of ints'),
            ('location', [1.5], 'int'),
            ('scores', 1, 'a dict'),
            ('scores', {'a': 'x'}, 'a number'),
            ('embedding', 'x', 'an ndarray'),
            ('embedding', [[1], [2, 3]], 'an ndarray'),
            ('blob', [object()], 'an array of numbers'),
        ],
    )
    def test_a_wrong_type_is_refused_by_name(self, name, value, wanted):
        doc = Document()
        with pytest.raises(BadDocType, match=rf'Document\.{name}.* takes {wanted}'):
            setattr(doc, name, value)
        with pytest.raises(BadDocType):
            Document(**{name: value})

    def test_the_message_shortens_the_value(self):
        with pytest.raises(BadDocType) as caught:
            Document(text=b'x' * 10_000)
        assert len(str(caught.value)) < 200

    @pytest.mark.parametrize('name', ['chunks', 'matches'])
    @pytest.mark.parametrize('value', [['x'], 'x', 5, {'text': 'x'}])
    def test_only_documents_are_children(self, name, value):
        with pytest.raises(BadDocType, match='holds Documents, not'):
            Document(**{name: value})

    def test_numpy_scalars_become_plain_numbers(self):
        doc = Document(offset=np.int64(3), weight=np.float32(0.5), text=np.str_('x'), location=np.array([1, 2]))
        assert type(doc.offset) is int
        assert type(doc.weight) is float
        assert type(doc.text) is str
        assert doc.location == [1, 2]

    def test_no_new_attributes(self):
        with pytest.raises(AttributeError):
            Document().txt = 'x'


class TestRecursion:
    def test_chunks_are_placed(self):
        doc = Document(id='x', granularity=2)
        doc.chunks.append(Document())
        doc.chunks.insert(0, Document())
        doc.chunks += [Document()]
        doc.chunks[1] = Document(text='b')
        assert isinstance(doc.chunks, ChunkArray)
        assert [(chunk.granularity, chunk.parent_id) for chunk in doc.chunks] == [(3, 'x')] * 3
        assert doc.chunks[1].text == 'b'

    def test_matches_are_placed(self):
        doc = Document(granularity=2, adjacency=1, matches=[Document(), Document()])
        doc.matches.extend(Document() for _ in range(2))
        assert isinstance(doc.matches, MatchArray)
        assert [(match.granularity, match.adjacency, match.parent_id) for match in doc.matches] == [(2, 2, '')] * 4

    def test_append_returns_what_is_there(self):
        doc = Document(id='x')
        chunk, match = doc.chunks.append(Document()), doc.matches.append(Document())
        assert chunk is doc.chunks[0]
        assert match is doc.matches[0]
        assert (chunk.parent_id, match.adjacency) == ('x', 1)

    def test_where_they_belong(self):
        doc = Document(granularity=2, adjacency=3)
        assert doc.chunks.reference_doc is doc.matches.reference_doc is doc
        assert (doc.chunks.granularity, doc.chunks.adjacency) == (3, 3)
        assert (doc.matches.granularity, doc.matches.adjacency) == (2, 4)

    def test_what_is_added_is_not_copied(self):
        doc, chunk = Document(), Document()
        doc.chunks = [chunk]
        assert doc.chunks[0] is chunk

    def test_own_chunks_may_be_assigned(self):
        doc = Document(chunks=[Document(text='a'), Document(text='b')])
        doc.chunks = reversed(doc.chunks)
        assert doc.chunks.get_attributes('text') == ['b', 'a']

    def test_views_see_the_same(self):
        doc = Document()
        first, second = doc.chunks, doc.chunks
        first.append(Document(id='a'))
        assert 'a' in second
        del second['a']
        assert len(first) == 0

    def test_chunks_follow_the_id(self):
        doc = Document(chunks=[Document()])
        doc.id = 'new'
        assert doc.chunks[0].parent_id == 'new'


class TestScores:
    def test_numbers_and_scores(self):
        doc = Document()
        doc.scores['cosine'] = 0.3
        doc.scores['other'] = NamedScore(1.0, 'op')
        assert doc.scores['cosine'].value == 0.3
        assert doc.scores['other'].op_name == 'op'
        assert set(doc.scores) == {'cosine', 'other'}
        del doc.scores['other']
        assert len(doc.scores) == 1

    def test_assignment_replaces(self):
        doc = Document(scores={'a': 1})
        doc.scores = {'b': 2}
        assert list(doc.scores) == ['b']
        doc.scores = doc.scores
        assert doc.scores['b'].value == 2.0

    def test_a_wrong_score_is_named(self):
        doc = Document()
        with pytest.raises(BadDocType, match=r"Document\.evaluations\['a'\] takes a number or NamedScore"):
            doc.evaluations['a'] = 'x'


class TestAttributes:
    def test_pop(self):
        doc = full_document()
        doc.pop('text', 'chunks', 'weight')
        assert (doc.text, len(doc.chunks), doc.weight) == ('', 0, 0.0)
        with pytest.raises(BadOption, match='tag'):
            doc.pop('tag')

    def test_clear(self):
        doc = full_document()
        doc.clear()
        assert doc.non_empty_fields == ()

    def test_update_merges_tags(self):
        doc = Document(id='a', text='old', weight=2, tags={'x': 1, 'y': 1})
        doc.update(Document(id='b', text='new', tags={'y': 2}))
        assert doc.get_attributes('id', 'text', 'weight', 'tags') == ['b', 'new', 2.0, {'x': 1, 'y': 2}]

    def test_update_of_some_fields(self):
        doc = Document(id='a', text='old', weight=2)
        doc.update(Document(text='new'), fields=['text', 'weight'])
        assert doc.get_attributes('id', 'text', 'weight') == ['a', 'new', 0.0]
        with pytest.raises(BadOption):
            doc.update(Document(), fields=['nothing'])
        with pytest.raises(BadDocType):
            doc.update({'text': 'x'})

    def test_update_leaves_the_source_alone(self):
        source = Document(id='s', chunks=[Document()])
        doc = Document()
        doc.update(source, ['chunks'])
        assert source.chunks[0].parent_id == 's'
        assert doc.chunks[0].parent_id == doc.id

    def test_set_attributes(self):
        doc = Document()
        doc.set_attributes(text='x', tags={'a': 1})
        assert (doc.text, doc.tags) == ('x', {'a': 1})
        with pytest.raises(BadOption):
            doc.set_attributes(nothing=1)

    def test_get_attributes(self):
        doc = full_document()
        assert doc.get_attributes('text') == 'hello'
        assert doc.get_attributes('text', 'content_type') == ['hello', 'text']

    @pytest.mark.parametrize(
        ('path', 'value'),
        [
            ('tags__a__b__0', 1),
            ('tags__a__b__9', None),
            ('tags__nothing__b', None),
            ('scores__cosine__value', 0.25),
            ('scores__rank__ref_id', 'ref'),
            ('matches__0__text', 'match'),
        ],
    )
    def test_nested(self, path, value):
        assert full_document().get_attributes(path) == value

    @pytest.mark.parametrize('name', ['nothing', 'json', '_text', '__class__'])
    def test_unknown(self, name):
        with pytest.raises(BadOption):
            Document().get_attributes(name)

    def test_tags_are_the_dict_itself(self):
        doc = Document()
        doc.tags['a'] = {'b': 1}
        doc.tags['a']['b'] += 1
        assert doc.get_attributes('tags__a__b') == 2

    def test_reading_changes_nothing(self):
        doc = Document(id='a')
        for name in ('tags', 'chunks', 'matches', 'scores', 'evaluations', 'location'):
            getattr(doc, name)
        assert doc.non_empty_fields == ('id',)
        assert doc == Document()


class TestEquality:
    def test_by_content(self):
        assert Document(text='a') == Document(text='a')
        assert Document(text='a') != Document(text='b')
        assert Document(text='') != Document()
        assert Document() != 'x'
        assert full_document() == full_document()

    def test_what_does_not_count(self):
        assert Document(id='a', parent_id='b', scores={'x': 1}, evaluations={'x': 1}) == Document()

    def test_order_of_tags_does_not_count(self):
        assert Document(tags={'a': 1, 'b': {'c': 1, 'd': 2}}) == Document(tags={'b': {'d': 2, 'c': 1}, 'a': 1})

    def test_memory_layout_does_not_count(self):
        array = np.arange(6.0).reshape(2, 3)
        same = [array, np.asfortranarray(array), array.astype('>f8'), np.repeat(array, 2, axis=1)[:, ::2]]
        assert len({Document(blob=each).content_hash for each in same}) == 1
        assert Document(blob=array) != Document(blob=array.reshape(3, 2))
        assert Document(blob=array) != Document(blob=array.astype('f4'))

    def test_chunks_count(self):
        assert Document(chunks=[Document(text='a')]) == Document(chunks=[Document(text='a')])
        assert Document(chunks=[Document(text='a')]) != Document(chunks=[Document(text='b')])

    def test_keys_of_any_type_deep_in_tags(self):
        assert Document(tags={'a': [{1: 2, 'b': 3}]}) == Document(tags={'a': [{'b': 3, 1: 2}]})

    def test_not_hashable(self):
        with pytest.raises(TypeError, match='unhashable'):
            hash(Document())

    def test_content_hash_in_another_process(self):
        code = 'from jina.types.document import Document; print(Document(text="a", tags={"b": 1, "a": 2}).content_hash)'
        printed = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout
        assert printed.strip() == Document(text='a', tags={'a': 2, 'b': 1}).content_hash
        assert len(printed.strip()) == 16


class TestDictAndJson:
    def test_round_trips(self):
        doc = full_document()
        for again in (Document(doc.json()), Document(doc.dict()), document_from_dict(json.loads(doc.json()))):
            assert again == doc
            assert again.dict() == doc.dict()

    def test_dict(self):
        doc = Document(id='x', buffer=b'\x00\xff', embedding=np.float32([1, 2]), mime_type='a/b')
        assert doc.dict() == {
            'id': 'x',
            'mime_type': 'a/b',
            'buffer': 'AP8=',
            'embedding': {'dense': {'buffer': 'AACAPwAAAEA=', 'shape': [2], 'dtype': '<f4'}},
        }
        assert doc.dict(prettify_ndarrays=True)['embedding'] == [1.0, 2.0]
        assert json.loads(doc.json(prettify_ndarrays=True))['embedding'] == [1.0, 2.0]

    def test_numpy_numbers_in_tags(self):
        assert json.loads(Document(tags={'a': np.float64(0.5), 'b': np.int64(1)}).json())['tags'] == {'a': 0.5, 'b': 1}

    def test_camel_case(self):
        doc = Document({'parentId': 'p', 'scores': {'a': {'value': 1, 'opName': 'x', 'ref_id': 'y'}}})
        assert doc.parent_id == 'p'
        assert doc.scores['a'] == NamedScore(1.0, 'x', ref_id='y')

    @pytest.mark.parametrize(
        ('obj', 'message'),
        [
            ({'text': 5}, 'text: Document.text takes str'),
            ({'mimeType': 5}, 'mimeType: '),
            ({'tags': 5}, 'tags: takes an object'),
            ({'chunks': 5}, 'chunks: takes a list'),
            ({'chunks': [{}, 5]}, r'chunks\[1\]: takes a Document'),
            ({'chunks': [{'matches': [{'text': 5}]}]}, r'chunks\[0\]\.matches\[0\]\.text: '),
            ({'buffer': 'ä'}, 'buffer: not base64'),
            ({'embedding': 'x'}, 'embedding: '),
            ({'embedding': [[1], [2, 3]]}, 'embedding: '),
            ({'embedding': {'a': 1}}, 'embedding: '),
            ({'blob': {'buffer': 'AAAA', 'shape': [2], 'dtype': '<f4'}}, 'blob: 3 bytes do not fill'),
            ({'blob': {'buffer': 'AAAA', 'shape': [-1], 'dtype': '<f4'}}, 'blob: a shape'),
            ({'blob': {'dense': {'buffer': 'AAAA', 'shape': [1], 'dtype': 'O'}}}, 'blob: unknown dtype'),
            ({'scores': {'a': {'value': 'x'}}}, 'scores: no score'),
            ({'scores': {'a': 'x'}}, 'scores: '),
            ({'location': 5}, 'location: '),
            ({'id': 5.0}, 'id: '),
            ({'id': False}, 'id: '),
            ({'id': [1, 2]}, 'id: '),
            ([], 'not list'),
        ],
    )
    def test_errors_name_the_key(self, obj, message):
        with pytest.raises(BadDocument, match=message):
            document_from_dict(obj)

    def test_nested_too_deeply(self):
        obj = {}
        for _ in range(900):
            obj = {'chunks': [obj]}
        with pytest.raises(BadDocument, match='too deep'):
            document_from_dict(obj)


class TestCopies:
    @pytest.mark.parametrize(
        'duplicate',
        [
            copy.copy,
            copy.deepcopy,
            lambda d: pickle.loads(pickle.dumps(d)),
            lambda d: cloudpickle.loads(cloudpickle.dumps(d)),
        ],
    )
    def test_copies_are_equal(self, duplicate):
        doc = full_document()
        again = duplicate(doc)
        assert again is not doc
        assert again.dict() == doc.dict()

    def test_deepcopy_shares_nothing(self):
        doc = full_document()
        again = copy.deepcopy(doc)
        again.chunks[0].blob[:] = 9
        again.tags['a']['b'] = None
        assert doc == full_document()

    def test_views_copy_as_arrays(self):
        doc = Document(chunks=[Document(text='a')])
        again = copy.deepcopy(doc.chunks)
        assert type(again) is DocumentArray
        assert again[0] is not doc.chunks[0]
        assert again == doc.chunks


class TestRepr:
    def test_form(self):
        doc = Document(id='x', text='hello')
        assert repr(doc) == (f'<jina.types.document.Document id=x mime_type=text/plain text=hello at {id(doc)}>')

    def test_long_values_are_short(self):
        doc = Document(text='x' * 10_000, embedding=np.zeros(5000), tags={str(i): i for i in range(1000)})
        assert 'embedding=ndarray((5000,), float64)' in repr(doc)
        assert len(repr(doc)) < 400

    def test_everything(self):
        assert 'chunks=2 Documents' in repr(full_document())


def test_the_signature_is_that_of_the_constructor():
    assert list(inspect.signature(Document).parameters)[:2] == ['document', 'text']


def test_subclasses():
    class Page(Document):
        @property
        def title(self) -> str:
            return self.tags.get('title', '')

        @title.setter
        def title(self, value: str) -> None:
            self.tags['title'] = value

    page = Page(text='x', title='y')
    assert (page.text, page.title) == ('x', 'y')
    assert isinstance(Page(Document(text='z')), Page)
    assert type(copy.deepcopy(page)) is Page
    assert page in DocumentArray([page])


def test_import_is_light():
    code = (
        'import sys, jina.types.document, jina.types.arrays, jina.types.native\n'
        'heavy = {"scipy", "PIL", "pandas", "rich", "asyncio"} & set(sys.modules)\n'
        'assert not heavy, heavy'
    )
    subprocess.run([sys.executable, '-c', code], check=True)


class TestNestedAccess:
    def test_double_underscores_reach_into_tags_and_scores(self):
        doc = Document(tags={'a': {'b': [1, {'c': 2}]}}, scores={'cosine': 0.5})
        assert doc.tags__a__b == [1, {'c': 2}]
        assert doc.scores__cosine__value == 0.5
        assert doc.tags__nothing__there is None

    def test_what_is_no_attribute_is_an_attribute_error_with_the_nearest(self):
        with pytest.raises(AttributeError, match="did you mean 'text'"):
            _ = Document().txet
        with pytest.raises(AttributeError, match='nope'):
            _ = Document().nope__a
        assert not hasattr(Document(), '__array__')

    def test_no_nearest_is_looked_for_where_python_itself_asks(self, monkeypatch):
        def never(*_, **__):
            pytest.fail('a suggestion was looked for')

        monkeypatch.setattr('jina.types.document.attribute.get_close_matches', never)
        assert not hasattr(Document(), '__aiter__')
        assert copy.deepcopy(Document(text='a')).text == 'a'
        with pytest.raises(AttributeError, match="Document has no attribute '_txt'"):
            _ = Document()._txt
