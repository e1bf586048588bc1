"""The revisions of the schema, each a pair of plain SQL files."""
