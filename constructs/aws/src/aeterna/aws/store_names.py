"""Names that a store's service gives out once and never again."""

from __future__ import annotations


def final_snapshot(name: str) -> str:
    """Return the name of the snapshot that a deletion leaves behind, told apart by when the store was made.

    A store that is deleted, made again and deleted again would otherwise ask for a name that is taken, and could not
    be deleted. Terraform reads the clock at every plan: ignore later changes, so that the first reading stays.
    """
    return f'{name}-final-${{formatdate("YYYYMMDDhhmmss", timestamp())}}'
