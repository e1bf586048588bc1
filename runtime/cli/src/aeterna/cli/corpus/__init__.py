"""The sample corpus: what is read and how it becomes nodes and edges."""
