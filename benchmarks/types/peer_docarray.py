"""docarray 0.41, on a Python of its own: DOCARRAY_PYTHON."""

from typing import Optional

from common import (
    DATABASE,
    LIMIT,
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
from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from docarray.utils.find import find_batched


class Doc(BaseDoc):
    text: str = ''
    embedding: Optional[NdArray] = None  # noqa: UP045


def with_embeddings(count, seed):
    rows = enumerate(vectors(count, seed))
    return DocList[Doc](Doc(id=str(n), text=f'text {n}', embedding=row) for n, row in rows)


def construct():
    return lambda: [Doc(text=TEXT) for _ in range(SMALL)], lambda docs: all_equal(SMALL, TEXT)([d.text for d in docs])


def get_text():
    docs = [Doc(text=TEXT) for _ in range(SMALL)]
    return lambda: [doc.text for doc in docs], all_equal(SMALL, TEXT)


def set_text():
    docs = [Doc() for _ in range(SMALL)]

    def work():
        for doc in docs:
            doc.text = TEXT

    return work, lambda _: all_equal(SMALL, TEXT)([doc.text for doc in docs])


def wire():
    docs = with_embeddings(WIRE, 3)

    def work():
        parsed = DocList[Doc].from_bytes(docs.to_bytes(protocol='protobuf'), protocol='protobuf')
        return [doc.text for doc in parsed], [doc.embedding for doc in parsed]

    return work, wire_check


def get_attributes():
    docs = with_embeddings(WIRE, 3)
    return lambda: docs.embedding, embeddings_check


def match():
    queries, database = with_embeddings(QUERIES, 1), with_embeddings(DATABASE, 2)

    def work():
        return find_batched(database, queries, search_field='embedding', limit=LIMIT)

    return work, lambda found: check_nearest([[doc.id for doc in docs] for docs in found.documents])


def memory():
    return DocList[Doc](Doc(text=f'a short text, number {n}') for n in range(MANY))


if __name__ == '__main__':
    serve(
        {
            'construct': construct,
            'get text': get_text,
            'set text': set_text,
            'wire': wire,
            'get_attributes': get_attributes,
            'match': match,
            'memory': memory,
        }
    )
