"""The model of `jina hello search`, for every peer the same: the package carries it along, so it needs no network."""

from pathlib import Path


def load():
    """Return the model; ``embed(list of texts)`` gives an array of 256 float32 for each."""
    import wordllama

    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
