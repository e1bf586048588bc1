"""Tells the programming language of a file by its name, as Pygments knows them."""

from __future__ import annotations

from functools import lru_cache

from pygments.lexers import find_lexer_class_for_filename


@lru_cache(maxsize=4_096)
def language_of(name: str) -> str | None:
    """Return Pygments' name of the language; None for no source code."""
    found = find_lexer_class_for_filename(name)
    return found.aliases[0] if found is not None and found.aliases else None
