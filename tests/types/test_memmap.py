"""What a DocumentArrayMemmap does beyond the contract of test_arrays_contract.py: files, processes, threads."""

import gc
import os
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from contextlib import closing

import numpy as np
import pytest

from jina.excepts import BadDocType, JinaError, StoreError
from jina.types.arrays import DocumentArray, DocumentArrayMemmap, blocks, store
from jina.types.document import Document


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'docs'


def some(count, prefix=''):
    return [Document(id=f'{prefix}{number}', text=f'text {number}') for number in range(count)]


def ids(docs) -> list[str]:
    return docs.get_attributes('id')


def database_at(path):
    return sqlite3.connect(path / store.FILE, isolation_level=None)


def stored(path) -> list[str]:
    """The texts on disk, as another process would see them."""
    with DocumentArrayMemmap(path) as docs:
        return docs.get_attributes('text')


class TestPath:
    def test_again(self, path):
        with DocumentArrayMemmap(path) as docs:
            docs.extend(some(3))
            docs[0].embedding = np.arange(3, dtype='f4')
        with DocumentArrayMemmap(str(path)) as docs:
            assert ids(docs) == ['0', '1', '2']
            assert docs['0'].embedding.dtype == np.float32
            docs['0'].embedding[0] = 1  # a loaded array may be written to
            assert docs.path == path

    def test_a_folder_with_other_files(self, tmp_path):
        (tmp_path / 'notes.txt').write_text('mine')
        with DocumentArrayMemmap(tmp_path, key_length=8) as docs:
            docs.append(Document())
        assert (tmp_path / 'notes.txt').read_text() == 'mine'

    def test_a_file(self, path):
        path.write_text('x')
        with pytest.raises(StoreError, match=f'{path} is no folder'):
            DocumentArrayMemmap(path)

    def test_a_folder_that_cannot_be_made(self, path):
        path.write_text('x')
        with pytest.raises(StoreError, match='cannot be made'):
            DocumentArrayMemmap(path / 'deeper')

    def test_files_of_another_release(self, path):
        path.mkdir()
        for name in ('header.bin', 'body.bin'):
            (path / name).write_bytes(b'')
        with pytest.raises(StoreError, match=f'{path} holds header.bin and body.bin of Jina 2.0'):
            DocumentArrayMemmap(path)

    @pytest.mark.parametrize('content', [b'x', b'no database' * 1000])
    def test_a_corrupt_file(self, path, content):
        path.mkdir()
        (path / store.FILE).write_bytes(content)
        with pytest.raises(StoreError, match=f'{path}: .*corrupt or no database') as caught:
            DocumentArrayMemmap(path)
        assert isinstance(caught.value, (JinaError, OSError))

    def test_another_database(self, path):
        path.mkdir()
        with closing(database_at(path)) as connection:
            connection.execute('CREATE TABLE mine (x)')
        with pytest.raises(StoreError, match='another kind of database'):
            DocumentArrayMemmap(path)

    def test_a_page_that_was_destroyed(self, path):
        with DocumentArrayMemmap(path) as docs:
            docs.extend(some(2000))
            docs.prune()
        with (path / store.FILE).open('r+b') as file:
            file.seek(20_000)
            file.write(b'\xff' * 20_000)
        with DocumentArrayMemmap(path) as docs, pytest.raises(StoreError, match=str(path)):
            ids(docs)

    def test_a_document_that_was_destroyed(self, path):
        with DocumentArrayMemmap(path) as docs:
            docs.extend(some(3))
        with closing(database_at(path)) as connection:
            connection.execute("UPDATE documents SET body = x'00' WHERE id = '1'")
        with DocumentArrayMemmap(path) as docs:
            assert docs[2].text == 'text 2'
            with pytest.raises(StoreError, match=f"{path}: the Document '1' is corrupt"):
                docs[1]

    def test_after_close(self, path):
        docs = DocumentArrayMemmap(path)
        docs.close()
        docs.close()
        for use in (lambda: len(docs), lambda: docs[0], lambda: list(docs), lambda: docs.append(Document())):
            with pytest.raises(StoreError, match=f'{path}: this DocumentArrayMemmap is closed'):
                use()


class TestSameId:
    def test_adding_replaces(self, path):
        with DocumentArrayMemmap(path) as docs:
            docs.extend(some(3))
            docs.append(Document(id='1', text='new'))
            docs.extend([Document(id='x', text='first'), Document(id='0', text='new'), Document(id='x', text='last')])
            docs += docs
            assert ids(docs) == ['0', '1', '2', 'x']
            assert docs.get_attributes('text') == ['new', 'new', 'text 2', 'last']

    def test_more_than_one_page(self, path):
        with DocumentArrayMemmap(path, buffer_pool_size=10) as docs:
            docs.extend(some(1000))
            docs.extend(some(1001))
            assert ids(docs) == [f'{number}' for number in range(1001)]


class TestWriteBack:
    @pytest.fixture
    def docs(self, path):
        with DocumentArrayMemmap(path, buffer_pool_size=3) as docs:
            docs.extend(some(10))
            yield docs

    def test_when_others_are_used(self, docs, path):
        docs[0].text = 'x'
        assert stored(path)[0] == 'text 0'
        for number in range(1, 5):
            docs[number]
        assert stored(path)[0] == 'x'

    @pytest.mark.parametrize('write', ['save', 'flush', 'reload', 'close', 'prune'])
    def test_by_name(self, docs, path, write):
        docs[0].text = 'x'
        getattr(docs, write)()
        assert stored(path)[0] == 'x'

    def test_at_the_end_of_a_block(self, path):
        with DocumentArrayMemmap(path) as docs:
            docs.append(Document())
            docs[0].text = 'x'
        assert stored(path) == ['x']

    def test_out_of_use(self, path):
        docs = DocumentArrayMemmap(path)
        docs.append(Document())
        docs[0].text = 'x'
        del docs
        gc.collect()
        assert stored(path) == ['x']

    def test_at_the_end_of_the_program(self, path):
        run('docs.append(Document(text="a")); docs[0].text = "x"', path)
        assert stored(path) == ['x']

    def test_a_loop_writes_all(self, docs, path):
        for doc in docs:
            doc.tags['n'] = int(doc.id)
            doc.embedding = [doc.tags['n'], 1]
        docs.save()
        with DocumentArrayMemmap(path) as others:
            assert others.get_attributes('tags__n') == list(range(10))
            assert others.embeddings[:, 0].tolist() == list(range(10))

    def test_batches_larger_than_memory(self, docs, path):
        for batch in docs.batch(7):
            for doc in batch:
                doc.text = 'x'
        docs.save()
        assert stored(path) == ['x'] * 10

    def test_reading_writes_nothing(self, docs, path):
        docs.extend(Document(id=f'e{n}', embedding=np.ones(3), tags={'a': 1}, chunks=[Document()]) for n in range(9))
        docs.close()
        query = 'SELECT group_concat(stamp) FROM documents'
        with DocumentArrayMemmap(path, buffer_pool_size=3) as docs, closing(database_at(path)) as connection:
            before = connection.execute(query).fetchone()
            for doc in docs:
                assert doc.text or doc.embedding is not None
                assert doc.content_hash
            docs.save()
            assert connection.execute(query).fetchone() == before

    def test_an_error_makes_nothing_suspicious(self, docs, path):
        with closing(database_at(path)) as connection:
            before = connection.execute('SELECT group_concat(stamp) FROM documents').fetchone()
            for wrong in (lambda: docs[99], lambda: docs['x'], lambda: docs.__setitem__(99, Document())):
                with pytest.raises(LookupError):
                    wrong()
            docs.save()
            assert connection.execute('SELECT group_concat(stamp) FROM documents').fetchone() == before

    def test_matches(self, path, docs):
        docs.embeddings = np.eye(10)
        docs.match(docs, limit=2)
        docs.save()
        with DocumentArrayMemmap(path) as others:
            assert [[match.id for match in doc.matches] for doc in others][3] == ['3', '0']

    def test_what_cannot_be_stored(self, docs):
        with pytest.raises(BadDocType, match="Document 'x' cannot be stored"):
            docs.append(Document(id='x', tags={'a': object()}))
        assert 'x' not in docs
        docs[0].tags['a'] = object()
        with pytest.raises(BadDocType, match="Document '0' cannot be stored"):
            docs.save()
        docs['0'].tags.clear()
        docs.save()


class TestFiles:
    def test_size_and_prune(self, path):
        with DocumentArrayMemmap(path) as docs:
            docs.extend(Document(buffer=bytes(1000)) for _ in range(1000))
            full = docs.physical_size
            assert full > 1_000_000
            del docs[10:]
            docs.prune()
            assert docs.physical_size < full / 10
            assert len(docs) == 10
            docs.clear()
            assert list(docs) == []

    def test_big_documents(self, path):
        with DocumentArrayMemmap(path, buffer_pool_size=2) as docs:
            docs.extend(Document(blob=np.full((1000, 1000), n, 'f4')) for n in range(8))
            assert [doc.blob[0, 0] for doc in docs] == list(range(8))

    def test_pickle_opens_the_same(self, path):
        with DocumentArrayMemmap(path) as docs:
            docs.append(Document())
            docs[0].text = 'x'
            with pickle.loads(pickle.dumps(docs)) as again:
                assert again.get_attributes('text') == ['x']
                again.append(Document(id='new'))
            assert 'new' in docs

    def test_the_folder_may_go(self, path):
        docs = DocumentArrayMemmap(path)
        docs.extend(some(3))
        shutil.rmtree(path)
        docs.close()

    def test_memory_is_bounded(self, path):
        with DocumentArrayMemmap(path, buffer_pool_size=100) as docs:
            docs.extend(Document(text='x' * 1000) for _ in range(20_000))
            tracemalloc.start()
            try:
                assert sum(len(doc.text) for doc in docs) == 20_000_000
                assert tracemalloc.get_traced_memory()[1] < 3_000_000
            finally:
                tracemalloc.stop()


class TestOrder:
    """The n-th Document, when places have become scarce or many."""

    @pytest.fixture
    def docs(self, path, monkeypatch):
        monkeypatch.setattr(blocks, '_SHIFT', 6)  # as if there were few places
        monkeypatch.setattr(blocks, '_CROWDED', 16)
        monkeypatch.setattr(store, 'GAP', 4)
        with DocumentArrayMemmap(path, buffer_pool_size=5) as docs:
            docs.extend(some(50))
            yield docs

    @pytest.mark.parametrize('index', [0, 1, 25, 49, 50, -1])
    def test_inserting_at_one_place(self, docs, index):
        expected = ids(docs)
        for number in range(200):
            docs.insert(index, Document(id=f'new {number}'))
            expected.insert(index, f'new {number}')
        assert ids(docs) == expected
        assert [docs[position].id for position in range(0, 250, 7)] == expected[::7]

    def test_inserting_many(self, docs):
        expected = ids(docs)
        for start in (10, 0, 60):
            docs[start:start] = some(300, f'{start} ')
            expected[start:start] = [f'{start} {number}' for number in range(300)]
        assert ids(docs) == expected

    def test_changes_survive_moves(self, docs):
        doc = docs[25]
        for number in range(100):
            docs.insert(25, Document(id=f'new {number}'))
            docs['25'].tags[f'{number}'] = 1
        doc = docs['25']
        docs.sort(key=lambda doc: doc.id)
        doc.text = 'x'
        docs.save()
        docs.reload()
        assert (docs['25'].text, len(docs['25'].tags)) == ('x', 100)

    def test_deleting(self, docs):
        docs.extend(some(500, 'more '))
        expected = ids(docs)
        random = np.random.default_rng(1)
        while len(expected) > 3:
            position = int(random.integers(len(expected)))
            del docs[position], expected[position]
            if len(expected) % 50 == 0:
                del docs[5:30], expected[5:30]
            assert docs[-1].id == expected[-1]
            assert docs[len(expected) // 2].id == expected[len(expected) // 2]
        assert ids(docs) == expected


def run(code, path, **options):
    """Run ``code`` in another process, with ``docs`` open at ``path``."""
    return subprocess.run(script(code, path), check=True, capture_output=True, text=True, **options).stdout


def script(code, path):
    head = f'import sys; from jina import Document; from jina.types.arrays import DocumentArrayMemmap\n\
docs = DocumentArrayMemmap({str(path)!r}, buffer_pool_size=5)\n'
    return [sys.executable, '-c', head + code]


class TestProcesses:
    @pytest.fixture
    def docs(self, path):
        with DocumentArrayMemmap(path) as docs:
            docs.extend(some(5))
            yield docs

    def test_they_see_what_is_written(self, docs, path):
        assert run('print(len(docs), docs["3"].text)', path) == '5 text 3\n'

    def test_we_see_what_they_write(self, docs, path):
        assert docs[1].text == 'text 1'
        run('docs.append(Document(id="x")); docs[1].text = "theirs"; del docs[0]', path)
        assert ids(docs) == ['1', '2', '3', '4', 'x']
        assert docs[0].text == 'theirs'

    def test_both_change(self, docs, path):
        mine, gone, moved = docs[1], docs[2], docs[3]
        mine.text = gone.text = moved.text = 'mine'
        run('docs[1].text = "theirs"; docs[4].text = "theirs"; del docs[2]; docs.reverse()', path)
        docs.save()
        assert [(doc.id, doc.text) for doc in docs] == [
            ('4', 'theirs'),
            ('3', 'mine'),
            ('1', 'mine'),
            ('0', 'text 0'),
        ]
        assert stored(path) == ['theirs', 'mine', 'mine', 'text 0']

    def test_moved_by_others_and_used_again(self, docs, path):
        docs[0].text = 'mine'
        run('docs.insert(0, Document(id="x")); docs.reverse()', path)
        assert [docs[n].id for n in range(6)] == ['4', '3', '2', '1', '0', 'x']
        assert docs[4].text == 'mine'
        docs.save()
        assert stored(path)[4] == 'mine'

    def test_spread_by_others(self, docs, path):
        """So many are inserted at one place that the rows around it change theirs, into those of each other."""
        for doc in docs:
            doc.text = 'mine'
        run('for n in range(100): docs.insert(2, Document(id=f"x{n}"))', path)
        docs.save()
        assert {doc.id: doc.text for doc in docs if doc.text} == dict.fromkeys('01234', 'mine')

    def test_killed_between_two_writes(self, path):
        code = 'for n in range(100_000):\n docs.append(Document(id=str(n)))\n print(n, flush=True)'
        with subprocess.Popen(script(code, path), stdout=subprocess.PIPE, text=True) as process:
            confirmed = [process.stdout.readline().strip() for _ in range(50)]
            process.kill()
            confirmed += process.stdout.read().split()
        assert process.returncode == -signal.SIGKILL
        if confirmed[-1] != str(len(confirmed) - 1):
            confirmed.pop()  # the line itself was cut
        with DocumentArrayMemmap(path) as docs:
            assert ids(docs)[: len(confirmed)] == confirmed
            assert len(docs) - len(confirmed) in (0, 1)
            docs.append(Document(id='new'))
            assert docs[-1].id == 'new'

    def test_killed_in_the_middle_of_one(self, docs, path):
        code = """
def endless():
    for n in range(5000):
        yield Document()
    print('half', flush=True)
    sys.stdin.read()
docs.extend(endless())"""
        pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE}
        with subprocess.Popen(script(code, path), **pipes) as process:
            assert process.stdout.readline() == b'half\n'
            assert len(docs) == 5  # readers do not wait
            process.kill()
        docs.append(Document(id='x'))
        assert ids(docs) == ['0', '1', '2', '3', '4', 'x']

    def test_a_writer_that_does_not_end(self, path, monkeypatch):
        monkeypatch.setattr(store, 'BUSY_SECONDS', 0.05)
        with DocumentArrayMemmap(path) as docs:
            docs.append(Document(id='a'))
            with closing(database_at(path)) as other:
                other.execute('BEGIN IMMEDIATE')
                assert docs['a'].id == 'a'
                with pytest.raises(StoreError, match=f'{path}: another process or thread .* 0.05 s'):
                    docs.append(Document())
                other.execute('ROLLBACK')
            docs.append(Document())
            assert len(docs) == 2

    def test_opened_by_many_at_once(self, path):
        everyone = [subprocess.Popen(script('docs.append(Document())', path)) for _ in range(4)]
        assert [process.wait() for process in everyone] == [0] * 4
        with DocumentArrayMemmap(path) as docs:
            assert len(docs) == 4


class TestThreads:
    def test_from_another_than_the_one_that_opened_it(self, path):
        docs, found = DocumentArrayMemmap(path), []

        def work():
            docs.extend(some(3))
            docs[0].text = 'x'
            found.extend(ids(docs))
            docs.close()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert found == ['0', '1', '2']
        assert stored(path)[0] == 'x'

    def test_at_the_same_time(self, path):
        errors = []

        def guarded(work):
            def body(name):
                try:
                    work(name)
                except Exception as error:
                    errors.append(error)

            return body

        with DocumentArrayMemmap(path, buffer_pool_size=20) as docs:
            docs.extend(some(300))

            @guarded
            def write(name):
                for number in range(60):
                    docs.append(Document(id=f'{name} {number}'))
                    docs[f'{name} {number}'].text = 'x'

            @guarded
            def read(name):
                for _ in range(5):
                    assert ids(docs)[:300] == [f'{number}' for number in range(300)]
                    for doc in docs:
                        assert doc.id
                    assert docs[7].text == 'text 7'

            threads = [threading.Thread(target=work, args=[f'{n}']) for n in range(2) for work in (write, read)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not errors
            assert len(docs) == 420
        assert stored(path)[300:] == ['x'] * 120


def test_what_fails_leaves_all_as_it_was(path):
    with DocumentArrayMemmap(path, buffer_pool_size=3) as docs:
        docs.extend(some(9))
        docs[1].text = 'changed'
        kept, bad = docs[0], Document(tags={'a': object()})
        changes = [
            lambda: docs.__setitem__(slice(0, 2), [Document(id='0', text='new'), bad]),
            lambda: docs.__setitem__(slice(0, 4, 2), [Document(id='0', text='new'), bad]),
            lambda: docs.__setitem__(1, bad),
            lambda: docs.insert(1, bad),
            lambda: docs.extend([Document(id='1', text='new'), *some(3, 'x'), bad]),
            lambda: docs.sort(key=lambda doc: doc.tags['a']),
        ]
        for change in changes:
            with pytest.raises((BadDocType, KeyError)):
                change()
            assert docs.get_attributes('text') == ['text 0', 'changed', *(f'text {n}' for n in range(2, 9))]
        kept.text = 'kept'
        docs.save()
        assert stored(path) == ['kept', 'changed', *(f'text {n}' for n in range(2, 9))]


def test_a_loop_keeps_the_array_open(path):
    DocumentArrayMemmap(path).extend(some(1000))
    assert sum(1 for _ in DocumentArrayMemmap(path)) == 1000
    assert sum(len(batch) for batch in DocumentArrayMemmap(path).batch(7)) == 1000


def test_match_streams(path):
    array = np.random.default_rng(1).normal(size=(5000, 8)).astype('f4')
    database = DocumentArray(some(5000))
    database.embeddings = array
    queries = DocumentArray(some(20, 'q'))
    queries.embeddings = array[:20] + 0.01
    with DocumentArrayMemmap(path, buffer_pool_size=10) as docs:
        docs.extend(database)
        queries.match(docs, limit=7)
        found = [[(match.id, match.scores['cosine'].value) for match in doc.matches] for doc in queries]
    queries.match(database, limit=7)
    assert found == [[(match.id, match.scores['cosine'].value) for match in doc.matches] for doc in queries]


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_folder_without_permission(path):
    path.mkdir(mode=0o500)
    with pytest.raises(StoreError, match=str(path)):
        DocumentArrayMemmap(path)
