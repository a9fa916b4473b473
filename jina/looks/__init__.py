"""How Documents, DocumentArrays and Flows are shown: in a terminal, in a notebook, as a picture.

What is to be shown is found in pure functions, which give words, rows, outlines and diagrams; each library that
shows them is imported in one file, when it is used. Nothing here changes a Document, opens a connection, or takes
longer because a DocumentArray is longer.
"""
