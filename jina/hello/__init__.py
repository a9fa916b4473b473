"""The demos behind `jina hello`. Each is written only against `from jina import …`: copy what you like."""
