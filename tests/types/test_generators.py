import csv
import io
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import BadDocType, BadDocument, BadOption
from jina.types.arrays import DocumentArray
from jina.types.document import Document
from jina.types.document.generators import from_csv, from_files, from_lines, from_ndarray, from_ndjson


def texts(docs) -> list[str]:
    return [doc.text for doc in docs]


class TestCsv:
    def test_columns(self):
        table = io.StringIO('text,weight,embedding,mimeType,price\nhi,0.5,"[1, 2]",a/b,3\nyo,,,,\n')
        first, second = from_csv(table)
        assert (first.text, first.weight, first.mime_type, first.tags) == ('hi', 0.5, 'a/b', {'price': '3'})
        assert first.embedding.tolist() == [1, 2]
        assert second.non_empty_fields == ('id', 'mime_type', 'text')

    def test_field_resolver(self):
        [doc] = from_csv(['question,answer,n\n', 'why,because,1\n'], {'question': 'text', 'n': 'weight'})
        assert (doc.text, doc.weight, doc.tags) == ('why', 1.0, {'answer': 'because'})

    def test_a_file(self, tmp_path):
        (tmp_path / 'a.csv').write_text('text;b\n"zwei\nZeilen; ☃";2\n', 'utf-8-sig')
        with open(tmp_path / 'a.csv', encoding='utf-8') as file:
            [doc] = from_csv(file, dialect=type('Semicolons', (csv.excel,), {'delimiter': ';'}))
        assert (doc.text, doc.tags) == ('zwei\nZeilen; ☃', {'b': '2'})

    def test_bytes_and_rows_of_other_lengths(self):
        assert texts(from_csv([b'a,text\n', 'x,é\n'.encode(), b'y\n'])) == ['é', '']

    @pytest.mark.parametrize(
        ('table', 'told'),
        [
            ('text,a\nx,1\ny,1,2,3\n', 'line 3: 2 cells more'),
            ('text,weight\nx,1\n\ny,heavy\n', 'line 4: weight'),
            ('text,embedding\nx,"[1, "\n', 'line 2: embedding'),
            ('text,embedding\nx,"[[1], [1, 2]]"\n', 'line 2: embedding'),
            ('text\n"x', 'line 2: '),
        ],
    )
    def test_errors_name_the_line(self, table, told):
        with pytest.raises(BadDocument, match=told):
            list(from_csv(io.StringIO(table)))

    @given(st.lists(st.text(st.characters(codec='utf-8', exclude_characters='\r\0'), min_size=1), max_size=4))
    def test_any_text(self, cells):
        table = io.StringIO(newline='')
        csv.writer(table).writerows([['text'], *([cell] for cell in cells)])
        assert texts(from_csv(io.StringIO(table.getvalue(), newline=''))) == cells


class TestNdjson:
    def test_keys(self):
        lines = ['\ufeff{"text": "a", "q": 1}\n', '\n', '{"uri": "b", "mime_type": "x/y"}']
        first, second = from_ndjson(lines)
        assert (first.text, first.tags) == ('a', {'q': 1})
        assert (second.uri, second.mime_type) == ('b', 'x/y')

    def test_field_resolver(self):
        assert texts(from_ndjson([b'{"question": "why"}'], {'question': 'text'})) == ['why']

    def test_what_arrays_are_saved_as(self, tmp_path):
        docs = DocumentArray([Document(text='a', embedding=[1, 2]), Document(buffer=b'\n')])
        docs.save(tmp_path / 'docs')
        with open(tmp_path / 'docs') as file:
            assert DocumentArray(from_ndjson(file)) == docs

    @pytest.mark.parametrize('line', ['x', '[1]', '{"weight": "x"}', b'\xff', '{"text": 5}'])
    def test_errors_name_the_line(self, line):
        with pytest.raises(BadDocument, match='line 3: '):
            list(from_ndjson(['{}', '\n', line]))

    def test_lazily(self):
        endless = (Document(text=str(n)).json() for n in itertools.count())
        assert texts(itertools.islice(from_ndjson(endless), 2)) == ['0', '1']
        assert Document(next(endless)).text == '2'


class TestLines:
    def test_formats(self):
        assert texts(from_lines(['{"text": "a"}'])) == ['a']
        assert texts(from_lines(['text', 'a'], line_format='csv')) == ['a']
        assert texts(from_lines(['a\n', '\n', ' b \r\n', b'c'], line_format='text')) == ['a', ' b ', 'c']
        assert texts(from_lines(['{"q": "a"}'], field_resolver={'q': 'text'})) == ['a']

    @pytest.mark.parametrize('read_mode', ['r', 'rb'])
    def test_files(self, tmp_path, read_mode):
        (tmp_path / 'a').write_text('é\n☃\n', 'utf-8-sig')
        for path in (tmp_path / 'a', str(tmp_path / 'a')):
            assert texts(from_lines(filepath=path, line_format='text', read_mode=read_mode)) == ['é', '☃']

    @pytest.mark.parametrize(
        'options',
        [
            {},
            {'lines': [], 'filepath': 'a'},
            {'lines': [], 'line_format': 'xml'},
            {'lines': [], 'read_mode': 'w'},
            {'lines': [], 'size': -1},
            {'lines': [], 'sampling_rate': 2},
            {'lines': 'text'},
        ],
    )
    def test_options(self, options):
        with pytest.raises(BadOption):
            list(from_lines(**options))

    def test_size(self):
        assert texts(from_lines(map(str, range(9)), line_format='text', size=2)) == ['0', '1']
        assert texts(from_lines(['a', 'b'], line_format='text', size=0)) == []
        assert texts(from_csv(['text', 'a', 'b', 'c'], size=2)) == ['a', 'b']

    def test_sampling_rate(self):
        lines = [str(n) for n in range(2000)]
        sampled = texts(from_lines(lines, line_format='text', sampling_rate=0.5))
        assert 700 < len(sampled) < 1300
        assert sampled == sorted(sampled, key=int)
        assert texts(from_lines(lines, line_format='text', sampling_rate=1)) == lines
        assert texts(from_lines(lines, line_format='text', sampling_rate=0)) == []
        assert len(texts(from_lines(lines, line_format='text', sampling_rate=0.5, size=3))) == 3


class TestFiles:
    @pytest.fixture(autouse=True)
    def files(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / 'sub' / 'deep.txt').mkdir(parents=True)
        for name, content in {'a.txt': 'é', 'b.html': '<b>', 'sub/c.txt': 'c', 'sub/deep.txt/d.txt': 'd'}.items():
            (tmp_path / name).write_text(content, 'utf-8')

    @pytest.mark.parametrize(
        ('patterns', 'options', 'uris'),
        [
            ('*.txt', {}, ['a.txt']),
            (['*.html', '*.txt'], {}, ['b.html', 'a.txt']),
            ('**/*.txt', {}, ['a.txt', 'sub/c.txt', 'sub/deep.txt/d.txt']),
            ('**/*.txt', {'recursive': False}, ['sub/c.txt']),
            ('none*', {}, []),
            (['*.html', '*.txt'], {'size': 1}, ['b.html']),
            ('*', {'sampling_rate': 0}, []),
        ],
    )
    def test_patterns(self, patterns, options, uris):
        docs = list(from_files(patterns, **options))
        assert sorted(doc.uri for doc in docs) == sorted(uris)
        assert all(doc.content is None for doc in docs)

    def test_a_path(self, tmp_path):
        assert [doc.uri for doc in from_files(tmp_path / '*.txt')] == [str(tmp_path / 'a.txt')]

    def test_text(self):
        [doc] = from_files('a.txt', read_mode='r')
        assert (doc.text, doc.uri, doc.mime_type) == ('é', 'a.txt', 'text/plain')

    def test_buffer(self):
        [doc] = from_files('b.html', read_mode='rb')
        assert (doc.buffer, doc.uri, doc.mime_type) == (b'<b>', 'b.html', 'text/html')

    def test_errors_name_the_file(self, tmp_path):
        (tmp_path / 'x.txt').write_bytes(b'\xff')
        with pytest.raises(BadDocument, match=r'x\.txt'):
            list(from_files('x.txt', read_mode='r'))
        with pytest.raises(BadOption, match='read_mode'):
            from_files('*', read_mode='w')


class TestArrays:
    def test_rows(self):
        array = np.arange(6.0).reshape(3, 2)
        docs = list(from_ndarray(array))
        assert [doc.blob.tolist() for doc in docs] == array.tolist()
        assert all(np.shares_memory(doc.blob, array) for doc in docs)

    @pytest.mark.parametrize('axis', [1, -1])
    def test_columns(self, axis):
        docs = from_ndarray(np.arange(6).reshape(3, 2), axis=axis)
        assert [doc.blob.tolist() for doc in docs] == [[0, 2, 4], [1, 3, 5]]

    def test_size_and_shuffle(self):
        array = np.arange(100)
        assert [int(doc.blob) for doc in from_ndarray(array, size=2)] == [0, 1]
        shuffled = [int(doc.blob) for doc in from_ndarray(array, shuffle=True)]
        assert sorted(shuffled) == array.tolist() != shuffled
        assert len(list(from_ndarray(array, size=7, shuffle=True))) == 7
        assert array.tolist() == list(range(100))

    def test_wrong_ones(self):
        with pytest.raises(BadOption, match='axis 2'):
            from_ndarray(np.eye(2), axis=2)
        with pytest.raises(BadDocType):
            from_ndarray('text')
