"""Document: the unit of data that flows."""

from collections.abc import Iterable, Mapping
from inspect import Signature, signature
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from msgspec import StructMeta

from jina.excepts import BadDocType, BadDocument, BadOption
from jina.types.arrays.chunk import ChunkArray
from jina.types.arrays.item import renames
from jina.types.arrays.match import MatchArray
from jina.types.document.attribute import (
    Attribute,
    Identity,
    MimeType,
    checked,
    guess_mime_type,
    identified,
    refuse,
    unknown,
)
from jina.types.document.construct import blank, construct, restore, slots_of
from jina.types.document.construct import filled as _filled
from jina.types.document.conversion import Convertible
from jina.types.document.edges import Graph
from jina.types.document.hashing import hash_of
from jina.types.document.identity import random_identity
from jina.types.document.nested import read_path
from jina.types.document.reading import camel, fill, parse_bytes, parse_json
from jina.types.document.writing import describe, to_dict, to_json
from jina.types.score import NamedScore, as_score
from jina.types.score.map import NamedScoreMapping
from jina.types.sparse import AnyArray, accepted, is_sparse

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from jina.looks.picture import Svg

__all__ = ['Document', 'document_from_dict']

Array: TypeAlias = np.ndarray[Any, Any]
# The class below has a method called dict.
Tags: TypeAlias = dict[str, Any]
Scores: TypeAlias = dict[str, NamedScore]

_CONTENTS = frozenset({'text', 'buffer', 'blob', 'graph', 'content'})


class DocumentType(StructMeta):
    """Gives Document its constructor: a Struct may not have an ``__init__``, but its type may be called."""

    _settable: frozenset[str]

    def __init__(cls, *args: Any, **_: Any) -> None:
        super().__init__(*args)
        public = (name for name in dir(cls) if not name.startswith('_'))
        cls._settable = frozenset(name for name in public if _takes_values(getattr(cls, name)))

    def __call__(
        cls,
        document: Any = None,
        *,
        text: str | None = None,
        field_resolver: Mapping[str, str] | None = None,
        copy: bool = False,
        **attributes: Any,
    ) -> Any:
        if document is None and not attributes:
            # Most Documents are made in one of these two ways; setting the slots at once is twice as fast.
            if text is None:
                return construct(cls, _id=random_identity())
            if type(text) is str:
                return construct(cls, _id=random_identity(), _text=text, _mime_type='text/plain')
        if text is not None:
            attributes['text'] = text
        return _from_parts(cls, document, field_resolver, copy, attributes)

    @property
    def __signature__(cls) -> Signature:
        return signature(cls.__call__)


def _from_parts(
    cls: DocumentType,
    document: Any,
    field_resolver: Mapping[str, str] | None,
    copy: bool,
    attributes: dict[str, Any],
) -> Any:
    if document is not None:
        doc = _from_source(cls, document, field_resolver, copy)
    else:
        identity = attributes.pop('id', None)
        doc = construct(cls, _id=random_identity() if identity is None else identified(identity, 'id'))
    _assign(cls, doc, attributes)
    return doc


def _takes_values(descriptor: Any) -> bool:
    return isinstance(descriptor, Attribute) or (isinstance(descriptor, property) and descriptor.fset is not None)


def _assign(cls: DocumentType, doc: Any, attributes: dict[str, Any]) -> None:
    if len(attributes) > 1:
        _refuse_two_contents(attributes)
    for name, value in attributes.items():
        if name not in cls._settable:
            raise unknown(name, cls._settable)
        if value is not None:
            setattr(doc, name, value)


def _refuse_two_contents(attributes: dict[str, Any]) -> None:
    given = [name for name in attributes if name in _CONTENTS and attributes[name] is not None]
    if len(given) > 1:
        raise BadOption(f'Document has one content, but {" and ".join(given)} are given')


def _from_source(cls: Any, source: Any, field_resolver: Mapping[str, str] | None, copy: bool) -> Any:
    if isinstance(source, Document):
        return _deep_copy(cls, source) if copy else construct(cls, **slots_of(source))
    if isinstance(source, bytes):
        source = parse_bytes(source)
        if isinstance(source, Document):
            return construct(cls, **slots_of(source))
    elif isinstance(source, str):
        source = parse_json(source)
    if not isinstance(source, Mapping):
        raise BadDocType(
            f'Document() takes a Document, a dict, a JSON string or bytes of protobuf, not {type(source).__name__}; '
            'for its content use content='
        )
    if field_resolver:
        source = {field_resolver.get(key, key): value for key, value in source.items()}
    return _from_mapping(cls, source)


def _deep_copy(cls: Any, source: 'Document') -> Any:
    from copy import deepcopy

    return construct(cls, **deepcopy(slots_of(source)))


def _from_mapping(cls: Any, obj: Mapping[str, Any]) -> Any:
    doc = blank(cls)
    try:
        fill(doc, obj)
    except RecursionError:
        raise BadDocument('Documents are nested too deeply') from None
    return doc


def document_from_dict(obj: dict[str, Any]) -> 'Document':
    """Return the Document that ``obj`` describes, in camelCase or snake_case; unknown keys become tags.

    :raises BadDocument: naming the key whose value cannot be used.
    """
    if not isinstance(obj, Mapping):
        raise BadDocument(f'a Document is an object, not {type(obj).__name__}')
    return _from_mapping(Document, obj)  # type: ignore[no-any-return]


class Document(
    Convertible,
    metaclass=DocumentType,
    omit_defaults=True,
    kw_only=True,
    eq=False,
    rename=lambda slot: camel(slot[1:]),
):
    """One piece of data: its content, what is known of it, its parts and what was found for it.

    :param document: a Document, a dict, a JSON string or what :meth:`binary_str` gave, to begin with. Keys of a
        dict or of JSON that are no attribute go to ``tags``.
    :param field_resolver: renames the keys of a dict: ``{'theirs': 'ours'}``.
    :param copy: whether the values of another Document are copied; otherwise both share them.
    :param attributes: any attribute by its name; they override what ``document`` says.
    :raises BadOption: for an attribute that does not exist, or two contents at once.
    :raises BadDocType: for a value of the wrong type.
    :raises BadDocument: for a dict, JSON or bytes that cannot be read.
    """

    _id: str = ''
    _parent_id: str = ''
    _granularity: int = 0
    _adjacency: int = 0
    _uri: str = ''
    _mime_type: str = ''
    _text: str | None = None
    _buffer: bytes | None = None
    # Sparse arrays are here as well. An annotation that says so would make msgspec slow at every dense one.
    _blob: Array | None = None
    _embedding: Array | None = None
    _weight: float | None = None
    _modality: str = ''
    _tags: Tags | None = None
    _location: list[int] | None = None
    _offset: int = 0
    _chunks: 'list[Document] | None' = None
    _matches: 'list[Document] | None' = None
    _scores: Scores | None = None
    _evaluations: Scores | None = None
    _graph: Graph | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            document: 'Document | Mapping[str, Any] | str | bytes | None' = None,
            *,
            field_resolver: Mapping[str, str] | None = None,
            copy: bool = False,
            **attributes: Any,
        ) -> None: ...

    parent_id = Identity(str, '', '', 'The id of the Document that this one is a chunk of; set as ``id`` is.')
    mime_type = MimeType(
        str,
        '',
        '',
        'The media type; set by text and guessed from uri unless it is set. Of an extension, ``png``, its type.',
    )
    modality = Attribute(str, '', '', 'What kind of data it is, in your own words.')
    weight = Attribute(float, 0.0, None, 'How much it counts; 0.0 when not set.')
    offset = Attribute(int, 0, 0, 'Its position among the chunks of its parent.')
    granularity = Attribute(int, 0, 0, 'How many steps along chunks it is away from its root.')
    adjacency = Attribute(int, 0, 0, 'How many steps along matches it is away from its root.')

    @property
    def id(self) -> str:
        """The name of this Document; its chunks follow when it changes. A whole number or a UUID becomes str."""
        return self._id

    @id.setter
    def id(self, value: 'str | int | UUID') -> None:
        self._id = identified(value, 'id')
        renames.count += 1
        for chunk in self._chunks or ():
            chunk._parent_id = self._id

    @property
    def text(self) -> str:
        """The content as str; ``''`` when not set. Setting it clears ``buffer`` and ``blob``."""
        text = self._text
        return '' if text is None else text

    @text.setter
    def text(self, value: str | None) -> None:
        if type(value) is not str:
            if value is None:
                self._text = None
                return
            value = checked(value, str, 'text')
        self._text = value
        if self._buffer is not None or self._blob is not None or self._graph is not None:
            self._buffer = self._blob = self._graph = None
        if not self._mime_type:
            self._mime_type = 'text/plain'

    @property
    def buffer(self) -> bytes:
        """The content as bytes; ``b''`` when not set. Setting it clears ``text`` and ``blob``."""
        buffer = self._buffer
        return b'' if buffer is None else buffer

    @buffer.setter
    def buffer(self, value: bytes | None) -> None:
        if value is None:
            self._buffer = None
            return
        self._buffer = checked(value, bytes, 'buffer')
        self._text = self._blob = self._graph = None

    @property
    def blob(self) -> AnyArray | None:
        """The content as array of any shape, or None: an ndarray or a sparse array of scipy, torch or tensorflow.

        Setting it clears ``text`` and ``buffer``. A sparse array that comes from another process is of scipy.
        """
        return self._blob

    @blob.setter
    def blob(self, value: Any) -> None:
        if value is None:
            self._blob = None
            return
        self._blob = accepted(value, 'Document.blob')
        self._text = self._buffer = self._graph = None

    @property
    def graph(self) -> Graph | None:
        """The edges between the chunks, or None; :class:`GraphDocument` is how to work with them."""
        return self._graph

    @graph.setter
    def graph(self, value: Graph | None) -> None:
        if value is not None:
            if not isinstance(value, Graph):
                refuse('graph', 'a Graph', value, 'use GraphDocument to make one')
            self._text = self._buffer = self._blob = None
        self._graph = value

    @property
    def content(self) -> str | bytes | AnyArray | Graph | None:
        """Whichever of ``text``, ``buffer``, ``blob`` and ``graph`` is set, or None. Setting it sorts by the type."""
        if self._text is not None:
            return self._text
        if self._buffer is not None:
            return self._buffer
        return self._graph if self._blob is None else self._blob

    @content.setter
    def content(self, value: Any) -> None:
        if isinstance(value, str):
            self.text = value
        elif isinstance(value, (bytes, bytearray, memoryview)):
            self.buffer = value  # type: ignore[assignment]
        elif value is None:
            self._text = self._buffer = self._blob = self._graph = None
        elif isinstance(value, Graph):
            self.graph = value
        elif isinstance(value, (list, tuple)) or hasattr(value, '__array__') or is_sparse(value):
            self.blob = value
        else:
            refuse('content', 'str, bytes or an ndarray', value)

    @property
    def content_type(self) -> str | None:
        """``'text'``, ``'buffer'``, ``'blob'``, ``'graph'``, or None when there is no content."""
        if self._text is not None:
            return 'text'
        if self._buffer is not None:
            return 'buffer'
        if self._blob is not None:
            return 'blob'
        return None if self._graph is None else 'graph'

    @property
    def uri(self) -> str:
        """Where the data is: a path, a URL or a data URI. Kept beside the content."""
        return self._uri

    @uri.setter
    def uri(self, value: str | None) -> None:
        self._uri = '' if value is None else checked(value, str, 'uri')
        if self._uri and not self._mime_type:
            self._mime_type = guess_mime_type(self._uri)

    @property
    def tags(self) -> Tags:
        """Your own values by name, nested as you like; the dict itself, not a copy."""
        tags = self._tags
        if tags is None:
            tags = self._tags = {}
        return tags

    @tags.setter
    def tags(self, value: Mapping[str, Any] | None) -> None:
        if value is None:
            self._tags = None
            return
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            refuse('tags', 'a dict with str keys', value)
        self._tags = dict(value)

    @property
    def location(self) -> list[int]:
        """Where in its parent it is found: a list of ints, such as a bounding box."""
        if self._location is None:
            self._location = []
        return self._location

    @location.setter
    def location(self, value: Iterable[int] | None) -> None:
        if value is None:
            self._location = None
            return
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            refuse('location', 'a list of ints', value)
        self._location = [checked(number, int, 'location') for number in value]

    @property
    def embedding(self) -> AnyArray | None:
        """The vector that stands for the content, or None. Lists are accepted, and sparse arrays as in ``blob``."""
        return self._embedding

    @embedding.setter
    def embedding(self, value: Any) -> None:
        self._embedding = None if value is None else accepted(value, 'Document.embedding')

    @property
    def chunks(self) -> ChunkArray:
        """The parts of this Document: what is added gets ``granularity + 1`` and ``parent_id``."""
        if self._chunks is None:
            self._chunks = []
        return ChunkArray(self._chunks, self)

    @chunks.setter
    def chunks(self, value: 'Iterable[Document] | None') -> None:
        self._chunks = None if value is None else ChunkArray.adopted(value, self)

    @property
    def matches(self) -> MatchArray:
        """What was found for this Document: what is added gets ``adjacency + 1``."""
        if self._matches is None:
            self._matches = []
        return MatchArray(self._matches, self)

    @matches.setter
    def matches(self, value: 'Iterable[Document] | None') -> None:
        self._matches = None if value is None else MatchArray.adopted(value, self)

    @property
    def scores(self) -> NamedScoreMapping:
        """How relevant it is: name → :class:`NamedScore`; plain numbers may be assigned."""
        if self._scores is None:
            self._scores = {}
        return NamedScoreMapping(self._scores, 'Document.scores')

    @scores.setter
    def scores(self, value: Mapping[str, Any] | None) -> None:
        self._scores = None if value is None else _score_map(value, 'scores')

    @property
    def evaluations(self) -> NamedScoreMapping:
        """How good it is against a groundtruth: name → :class:`NamedScore`."""
        if self._evaluations is None:
            self._evaluations = {}
        return NamedScoreMapping(self._evaluations, 'Document.evaluations')

    @evaluations.setter
    def evaluations(self, value: Mapping[str, Any] | None) -> None:
        self._evaluations = None if value is None else _score_map(value, 'evaluations')

    @property
    def non_empty_fields(self) -> tuple[str, ...]:
        """The names of the attributes that are set."""
        return tuple(name for name, _ in _filled(self))

    @property
    def content_hash(self) -> str:
        """16 hexadecimal characters over all but id, parent_id, scores and evaluations; chunks and matches
        count by their own hashes. Equal in every process."""
        return hash_of(self)

    def binary_str(self) -> bytes:
        """Return it as a serialized ``DocumentProto``, which the constructor reads back, and other languages too.

        :raises TypeError: when tags hold something that protobuf cannot express.
        :raises ValueError: when another value does not fit its field.
        """
        from jina.types.protobuf import encode_document

        return encode_document(self)

    @property
    def nbytes(self) -> int:
        """How many bytes it has when it is sent to an Executor, chunks and matches included."""
        from jina.types.native import encode

        return sum(map(len, encode([self])))

    def pop(self, *names: str) -> None:
        """Empty the attributes of those names.

        :raises BadOption: for an attribute that does not exist.
        """
        for name in names:
            self._empty(name)

    def clear(self) -> None:
        """Empty every attribute, the id included."""
        for slot in self.__struct_fields__:
            self._empty(slot[1:])

    def _empty(self, name: str) -> None:
        if name == 'id':
            self.id = ''
        elif name in type(self)._settable:
            setattr(self, name, None)
        else:
            raise unknown(name, type(self)._settable)

    def update(self, source: 'Document', fields: Iterable[str] | None = None) -> None:
        """Take over attributes of another Document; its tags are merged into the ones here.

        :param fields: the attributes to take; by default all that are set in ``source``.
        :raises BadOption: for an attribute that does not exist.
        """
        if not isinstance(source, Document):
            refuse('update()', 'a Document', source)
        present = dict(_filled(source))
        for name in present if fields is None else fields:
            self._take(name, present.get(name))

    def _take(self, name: str, value: Any) -> None:
        if value is None:
            self._empty(name)
        elif name == 'tags':
            self.tags.update(value)
        else:
            # The lists of the source stay its own: its chunks must not get another parent.
            children = name in ('chunks', 'matches')
            setattr(self, name, [doc.__copy__() for doc in value] if children else value)

    def set_attributes(self, **attributes: Any) -> None:
        """Set several attributes at once; a value of None is skipped.

        :raises BadOption: for an attribute that does not exist.
        """
        _assign(type(self), self, attributes)

    def get_attributes(self, *names: str) -> Any:
        """Return the value of the attribute, or a list of values if there are several names.

        Double underscores reach into mappings, lists and scores: ``tags__a__b``, ``scores__cosine__value``;
        where there is nothing the value is None.

        :raises BadOption: for an attribute that does not exist.
        """
        values = [read_path(self, name) for name in names]
        return values[0] if len(values) == 1 else values

    if not TYPE_CHECKING:  # to a type checker, a name that is no attribute stays an error

        def __getattr__(self, name: str) -> Any:
            # Reached only for what is not there: doc.tags__a__b
            if name.startswith('_'):  # Python itself asks for many: to look for the nearest would be slow
                raise AttributeError(f'{type(self).__name__} has no attribute {name!r}')
            if '__' in name:
                try:
                    return read_path(self, name)
                except BadOption as error:
                    raise AttributeError(str(error)) from None
            raise AttributeError(str(unknown(name, type(self)._settable)))

    def dict(self, prettify_ndarrays: bool = False) -> Tags:
        """Return the attributes that are set, in snake_case and plain types.

        :param prettify_ndarrays: arrays as nested lists; otherwise as base64 with shape and dtype.
        """
        return to_dict(self, prettify_ndarrays)

    def json(self, prettify_ndarrays: bool = False) -> str:
        """Return :meth:`dict` as JSON text, which the constructor reads back."""
        return to_json(to_dict(self, prettify_ndarrays))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Document):
            return NotImplemented
        return self is other or hash_of(self) == hash_of(other)

    __hash__ = None  # type: ignore[assignment]

    # Looks

    def plot(self, output: 'str | Path | None' = None, inline_display: bool = False) -> 'Svg':
        """Draw the tree of its chunks and matches.

        :param output: a file to write; its name ends in .svg, .png, .jpg, .pdf, or .mmd for Mermaid text.
        :param inline_display: show it in the notebook at once; it is shown anyhow where it is the last value of a cell.
        :return: the SVG as text.
        :raises BadOption: for another kind of file.
        :raises ImportError: for an image other than SVG when matplotlib is not installed.
        """
        from jina.looks.trees import plot

        return plot(self, output, inline_display)

    def __repr__(self) -> str:
        return describe(self)

    def __str__(self) -> str:
        from jina.looks.printed import printed

        return printed(self)

    def __rich__(self) -> Any:
        from jina.looks.terminal import document

        return document(self)

    def _repr_html_(self) -> str:
        from jina.looks.html import document

        return document(self)

    def __reduce__(self) -> Any:
        return restore, (type(self), slots_of(self))


def _score_map(value: Any, name: str) -> Scores:
    if not isinstance(value, Mapping):
        refuse(name, 'a dict of numbers or NamedScores', value)
    return {key: as_score(score, f'Document.{name}[{key!r}]') for key, score in value.items()}
