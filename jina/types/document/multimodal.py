"""MultimodalDocument: one thing in several forms, such as an image and its caption."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from jina.excepts import BadOption
from jina.types.document import Document, DocumentType
from jina.types.document.attribute import refuse
from jina.types.shorten import shorten

__all__ = ['MultimodalDocument']


class _MultimodalType(DocumentType):
    def __call__(
        cls,
        document: Any = None,
        *,
        chunks: Iterable[Document] | None = None,
        modality_content_map: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        if chunks is not None and modality_content_map is not None:
            raise BadOption('MultimodalDocument takes either chunks or modality_content_map')
        doc = super().__call__(document, **options)
        if chunks is not None:
            doc.chunks = chunks
        if modality_content_map is not None:
            doc.modality_content_map = modality_content_map
        return doc


class MultimodalDocument(Document, metaclass=_MultimodalType):
    """A Document whose chunks show the same thing, each in its own modality.

    What arrives at an Executor are plain Documents: ``MultimodalDocument(doc)`` is a view of one, with the same chunks.

    :param document: a Document, a dict or a JSON string to begin with.
    :param chunks: Documents with a ``modality`` each.
    :param modality_content_map: modality → content, to make the chunks of.
    :raises BadOption: when both are given.
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            document: 'Document | Mapping[str, Any] | str | bytes | None' = None,
            *,
            chunks: Iterable[Document] | None = None,
            modality_content_map: Mapping[str, Any] | None = None,
            field_resolver: Mapping[str, str] | None = None,
            copy: bool = False,
            **attributes: Any,
        ) -> None: ...

    @property
    def modalities(self) -> list[str]:
        """The modality of each chunk."""
        return [chunk.modality for chunk in self.chunks]

    @property
    def modality_content_map(self) -> dict[str, Any]:
        """Modality → content of the chunk; of several chunks of one modality the last.

        Setting it changes the content of the chunks that are there, and adds those that are missing.
        """
        return {chunk.modality: chunk.content for chunk in self.chunks}

    @modality_content_map.setter
    def modality_content_map(self, value: Mapping[str, Any]) -> None:
        if not isinstance(value, Mapping):
            refuse('modality_content_map', 'a dict of modality → content', value)
        known = {chunk.modality: chunk for chunk in self.chunks}
        # All are made before the first is used, so that a wrong one changes nothing.
        made = [Document(modality=modality, content=content) for modality, content in value.items()]
        for chunk in made:
            if chunk.modality in known:
                known[chunk.modality].content = chunk.content
            else:
                self.chunks.append(chunk)

    def __getitem__(self, modality: str) -> Any:
        """Return the content of the chunk of that modality, of several the last; None when there is none.

        :raises TypeError: when it is no str.
        """
        if not isinstance(modality, str):
            raise TypeError(f'a MultimodalDocument is indexed by the name of a modality, not {shorten(modality)}')
        return self.modality_content_map.get(modality)

    def __contains__(self, modality: object) -> bool:
        return modality in self.modalities

    @property
    def is_valid(self) -> bool:
        """Whether there are chunks, each of another modality."""
        modalities = self.modalities
        return bool(modalities) and len(set(modalities)) == len(modalities)
