"""The 2.0.24 release, on a Python of its own: JINA2_PYTHON."""

import io
import shutil
import tempfile

from common import (
    DATABASE,
    MANY,
    QUERIES,
    SMALL,
    TEXT,
    WIRE,
    all_equal,
    check_nearest,
    embeddings_check,
    serve,
    vectors,
    wire_check,
)

from jina import Document, DocumentArray, DocumentArrayMemmap


def with_embeddings(count, seed):
    return DocumentArray(
        Document(id=str(n), text=f'text {n}', embedding=row) for n, row in enumerate(vectors(count, seed))
    )


def construct():
    return lambda: [Document(text=TEXT) for _ in range(SMALL)], lambda docs: all_equal(SMALL, TEXT)(
        [d.text for d in docs]
    )


def get_text():
    docs = [Document(text=TEXT) for _ in range(SMALL)]
    return lambda: [doc.text for doc in docs], all_equal(SMALL, TEXT)


def set_text():
    docs = [Document() for _ in range(SMALL)]

    def work():
        for doc in docs:
            doc.text = TEXT

    return work, lambda _: all_equal(SMALL, TEXT)([doc.text for doc in docs])


def wire():
    docs = with_embeddings(WIRE, 3)

    def work():
        file = io.BytesIO()
        docs.save_binary(file)
        file.seek(0)
        parsed = DocumentArray.load_binary(file)
        texts, embeddings = [], []
        for doc in parsed:
            texts.append(doc.text)
            embeddings.append(doc.embedding)
        return texts, embeddings

    return work, wire_check


def get_attributes():
    docs = with_embeddings(WIRE, 3)
    return lambda: docs.get_attributes('embedding'), embeddings_check


def match():
    queries, database = with_embeddings(QUERIES, 1), with_embeddings(DATABASE, 2)

    def work():
        queries.match(database, limit=10)
        return queries

    return work, lambda docs: check_nearest([[match.id for match in doc.matches] for doc in docs])


def memory():
    return DocumentArray(Document(text=f'a short text, number {n}') for n in range(MANY))


_folders = []


def _on_disk():
    if not _folders:
        _folders.append(tempfile.mkdtemp())
        docs = DocumentArrayMemmap(_folders[0])
        docs.extend(Document(id=str(n), text=f'a short text, number {n}') for n in range(MANY))
        docs.save()
    return _folders[0]


def open_memmap():
    def work():
        docs = DocumentArrayMemmap(_on_disk())
        return len(docs), docs[MANY // 2].id

    return work, lambda found: all_equal(1, (MANY, str(MANY // 2)))([found])


def iterate_memmap():
    docs = DocumentArrayMemmap(_on_disk())
    return lambda: sum(1 for _ in docs), lambda count: all_equal(1, MANY)([count])


if __name__ == '__main__':
    try:
        serve(
            {
                'construct': construct,
                'get text': get_text,
                'set text': set_text,
                'wire': wire,
                'get_attributes': get_attributes,
                'match': match,
                'memory': memory,
                'open memmap': open_memmap,
                'iterate memmap': iterate_memmap,
            }
        )
    finally:
        for folder in _folders:
            shutil.rmtree(folder)
