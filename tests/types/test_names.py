"""The names that programs import, where they import them from."""

import importlib

import pytest

from jina.types.document import Document

NAMES = {
    'jina.types.document': ['Document'],
    'jina.types.document.generators': ['from_csv', 'from_ndjson', 'from_lines', 'from_files', 'from_ndarray'],
    'jina.types.document.multimodal': ['MultimodalDocument'],
    'jina.types.document.graph': ['GraphDocument'],
    'jina.types.arrays': ['DocumentArray'],
    'jina.types.arrays.document': ['DocumentArray'],
    'jina.types.arrays.chunk': ['ChunkArray'],
    'jina.types.arrays.match': ['MatchArray'],
    'jina.types.request': ['Request', 'Response'],
    'jina.types.score': ['NamedScore'],
    'jina.types.score.map': ['NamedScoreMapping'],
    'jina.types.struct': ['StructView'],
}


@pytest.mark.parametrize('module', NAMES)
def test_names(module):
    assert not [name for name in NAMES[module] if not hasattr(importlib.import_module(module), name)]


def test_tags_are_struct_views():
    from jina.types.struct import StructView

    tags = Document('{"tags": {"a": {"b": [1, {"c": 2}]}}}').tags
    assert isinstance(tags, StructView)
    assert isinstance(tags['a'], StructView)
    assert tags['a']['b'][1]['c'] == 2
