"""The data that flows: Document, DocumentArray and what they are made of."""
