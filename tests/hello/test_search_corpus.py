import os
import re
import subprocess
import sys
import textwrap
import threading
import warnings

import pytest

from jina.hello.search.corpus import Corpus

PRINT = """
from jina.hello.search.corpus import Corpus
corpus = Corpus()
print(corpus.fingerprint, *(doc.json() for doc in corpus), sep='\\n')
"""


@pytest.fixture(scope='module')
def corpus():
    return Corpus()


@pytest.fixture(scope='module')
def docs(corpus):
    return {doc.id: doc for doc in corpus}


def test_holds_the_whole_standard_library(corpus, docs):
    assert len(corpus) == len(docs) > 4000
    assert all(doc.text.strip() for doc in docs.values())


@pytest.mark.parametrize(
    'name',
    [
        'asyncio.sleep',
        'bz2.compress',
        'collections.Counter.most_common',
        'csv.reader',
        'datetime.datetime.now',
        'dict.fromkeys',
        'gzip.compress',
        'json.JSONDecoder',
        'lzma.compress',
        'open',
        'os.path.join',
        'os.stat',
        'random.random',
        'random.sample',
        'str.lower',
        'tarfile.open',
        'xml.etree.ElementTree.parse',
        'zlib.compress',
    ],
)
def test_knows(docs, name):
    assert name in docs


@pytest.mark.parametrize(
    'name',
    [
        '_csv.reader',
        'IOError',
        'builtins.str.lower',
        'io.open',
        'json.decoder.JSONDecoder',
        'posix.stat',
        'posixpath.join',
        'random.Random.sample',
        'tarfile.TarFile.open',
    ],
)
def test_shows_what_has_several_names_under_the_best_one_only(docs, name):
    assert name not in docs


def test_has_nothing_private(docs):
    assert not [name for name in docs if any(part.startswith('_') for part in name.split('.'))]


def test_document_says_where_it_comes_from(docs):
    assert docs['textwrap.wrap'].tags == {
        'name': 'textwrap.wrap',
        'module': 'textwrap',
        'signature': '(text, width=70, **kwargs)',
    }
    assert docs['textwrap.wrap'].text.startswith('Wrap a single paragraph of text')
    assert docs['str.lower'].tags['module'] == 'builtins'


def test_signature_is_that_of_the_name_shown(docs):
    assert docs['random.sample'].tags['signature'] == '(population, k, *, counts=None)'
    assert docs['datetime.datetime.now'].tags['signature'] == '(tz=None)'
    assert docs['threading.Thread.join'].tags['signature'] == '(self, timeout=None)'


def test_signature_tells_nothing_of_this_run(docs):
    assert docs['dict.get'].tags['signature'] == '(self, key, default=None, /)'
    assert docs['statistics.NormalDist'].tags['signature'] == '(mu=0.0, sigma=1.0)'
    assert docs['dataclasses.field'].tags['signature'].startswith('(*, default=…, default_factory=…, init=True')
    # Some functions have the whole environment as a default, with all the secrets in it.
    assert not [doc.id for doc in docs.values() if 'environ({' in doc.tags['signature']]
    assert not [doc.id for doc in docs.values() if ' at 0x' in doc.tags['signature']]


def test_is_sorted_and_the_same_each_time(corpus, docs):
    assert list(docs) == sorted(docs)
    assert [doc.json() for doc in Corpus()] == [doc.json() for doc in corpus]


def test_all_is_the_same_in_every_process():
    [first, second] = [printed_by_a_process(hash_seed) for hash_seed in ('1', '2')]
    assert first == second
    assert re.match(r'python 3\.\S+, \d+ documents, [0-9a-f]{32}\n', first)


def printed_by_a_process(hash_seed):
    environment = {**os.environ, 'PYTHONHASHSEED': hash_seed, 'SECRET': hash_seed}
    command = [sys.executable, '-c', PRINT]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert process.stderr == ''
    return process.stdout


def test_fingerprint_changes_with_a_docstring(monkeypatch):
    before = Corpus().fingerprint
    monkeypatch.setattr(textwrap.wrap, '__doc__', 'Do something else.')
    assert Corpus().fingerprint != before


def test_leaves_no_trace(capfd):
    before = (threading.enumerate(), list(warnings.filters), sys.stdout, sys.stderr)
    Corpus()
    assert before == (threading.enumerate(), list(warnings.filters), sys.stdout, sys.stderr)
    assert capfd.readouterr() == ('', '')
