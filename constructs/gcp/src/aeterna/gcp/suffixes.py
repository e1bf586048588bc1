"""Suffixes for names that Google keeps taken after what they named is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.l1.random.id import RandomId
from aeterna.synth.neutral_providers import require_random

if TYPE_CHECKING:
    from constructs import Construct

SUFFIX_LENGTH = 6
"""Characters: three bytes in hexadecimal."""


def unused_suffix(scope: Construct, id_: str) -> str:
    """Return six characters that stay as long as the state does, and differ when everything is made anew."""
    require_random(scope)
    return RandomId(scope, id_, byte_length=SUFFIX_LENGTH // 2).hex
