"""Readers of documents, one module for each kind of them."""
