"""The type of tags, by the name that programs know it by."""

__all__ = ['StructView']

StructView = dict
"""Tags are dicts, and what is nested in them is dicts and lists: there is nothing else to view."""
