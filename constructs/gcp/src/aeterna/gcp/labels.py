"""Tags as labels of Google Cloud, which takes only lower-case letters, digits, underscores and hyphens in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
VALUE = re.compile(r"[a-z0-9_-]{0,63}")
SEPARATORS = str.maketrans(":/.", "___")
MOST_LABELS = 64


def labels(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that stand for the tags: ``aeterna:environment`` becomes ``aeterna_environment``.

    Raises `InvalidSpecError` for what has no label of that name or value, and for two tags that would become one.
    """
    if len(tags) > MOST_LABELS:
        raise InvalidSpecError("Cloud", "tags", f"{len(tags)} tags", f"use at most {MOST_LABELS}")
    written: dict[str, str] = {}
    for key, value in tags.items():
        label = key.translate(SEPARATORS)
        if not KEY.fullmatch(label):
            remedy = "begin with a lower-case letter, and use lower-case letters, digits, hyphens and underscores"
            raise InvalidSpecError("Cloud", "tags", f"{key!r} cannot be a label of Google Cloud", remedy)
        if not VALUE.fullmatch(value):
            remedy = "use lower-case letters, digits, hyphens and underscores, at most 63"
            raise InvalidSpecError("Cloud", "tags", f"{value!r} of {key!r} cannot be a label's value", remedy)
        if label in written:
            raise InvalidSpecError("Cloud", "tags", f"two tags become the label {label!r}", "rename one of them")
        written[label] = value
    return written
