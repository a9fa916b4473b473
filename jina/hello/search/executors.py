"""The two Executors of the search: one turns text into vectors, one keeps them and finds the nearest."""

import hashlib
import io
import os
import re
from pathlib import Path
from typing import Any

from jina import Document, DocumentArray, Executor, __version__, requests


class Encoder(Executor):
    """Gives each Document an embedding: a vector that stands for its meaning."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        import wordllama  # here and not above: only the process that encodes pays for it

        # The package carries its model along: told to look there, it needs no network.
        package = Path(wordllama.__file__).parent
        self.model = wordllama.WordLlama.load(cache_dir=package, disable_download=True)

    @requests(on=['/index', '/search'])
    def encode(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        if docs:  # a request may come without any
            docs.embeddings = self.model.embed([passage(doc) for doc in docs])


class Indexer(Executor):
    """Keeps Documents in memory and in a file of its workspace, and finds those nearest to a query."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file = IndexFile(Path(self.workspace) / 'index')
        self.docs, self.fingerprint = self.file.read()

    @requests(on='/index')
    def index(self, docs: DocumentArray | None, **kwargs: Any) -> DocumentArray:
        self.docs.extend(docs or [])
        return DocumentArray(Document(id=doc.id) for doc in docs or [])  # all that the sender needs to know

    @requests(on='/commit')
    def commit(self, parameters: dict[str, Any], **kwargs: Any) -> None:
        """Put what is indexed on disk, under a fingerprint that tells what it was made from."""
        self.fingerprint = parameters['fingerprint']
        self.file.write(self.docs, self.fingerprint)

    @requests(on='/fingerprint')
    def tell_fingerprint(self, **kwargs: Any) -> DocumentArray:
        return DocumentArray([Document(tags={'fingerprint': self.fingerprint, 'count': len(self.docs)})])

    @requests(on='/clear')
    def clear(self, **kwargs: Any) -> None:
        self.docs, self.fingerprint = DocumentArray(), ''

    @requests(on='/search')
    def search(self, docs: DocumentArray | None, parameters: dict[str, Any], **kwargs: Any) -> None:
        if docs:
            docs.match(self.docs, metric='cosine', limit=int(parameters.get('limit', 10)))
            for doc in docs.traverse_flat('r,m'):
                doc.pop('embedding')  # nobody reads it from here on, and it is most of the answer


class IndexFile:
    """Documents and their fingerprint in one file, which is either whole or counts as empty."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, docs: DocumentArray, fingerprint: str) -> None:
        body = io.BytesIO()
        docs.save(body, file_format='binary')
        content = fingerprint.encode() + b'\n' + body.getvalue()
        unfinished = self.path.with_suffix(f'.{os.getpid()}')
        unfinished.write_bytes(checksum(content) + content)
        os.replace(unfinished, self.path)  # in one step: a crash leaves the old file or the new one

    def read(self) -> tuple[DocumentArray, str]:
        """Return no Documents and no fingerprint if the file is missing, damaged, or something else."""
        content = self.path.read_bytes() if self.path.is_file() else b''
        head, content = content[:32], content[32:]
        if head != checksum(content):
            return DocumentArray(), ''
        fingerprint, _, body = content.partition(b'\n')
        return DocumentArray.load(io.BytesIO(body), file_format='binary'), fingerprint.decode()


def checksum(content: bytes) -> bytes:
    """The version is part of it: a file that another version wrote is made anew, as a damaged one is."""
    return hashlib.sha256(__version__.encode() + content).digest()


def passage(doc: Document) -> str:
    """The text that is embedded: a query as it is; of a documented name, the name and the first paragraph.

    The name goes in twice: it says most. What follows the first paragraph is detail, which blurs the meaning.
    """
    name = re.sub(r'[._]|(?<=[a-z0-9])(?=[A-Z])', ' ', doc.tags.get('name', '')).lower()
    paragraph = doc.text.split('\n\n')[0]
    return f'{name} {name} {paragraph}'.strip()
