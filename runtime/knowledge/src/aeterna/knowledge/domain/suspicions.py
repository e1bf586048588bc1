"""Sees passages that read like an order to a model, so that whoever shows them to one can say that they are data.

A list of patterns, and no more than that: what is written another way, in another language or as a picture is not seen.
So nothing may be safe because it was not marked; the mark is for readers and for whoever ranks or reports.
"""

from __future__ import annotations

import re
from typing import Final

_PATTERNS: Final = {
    "tells a model to forget its instructions": (
        r"\b(?:ignore|disregard|forget|override|bypass)\s+(?:\w+\s+){0,4}"
        r"(?:instructions?|prompts?|rules|guidelines|directions|guardrails)\b"
    ),
    "tells a model who it is": (
        r"\byou\s+are\s+(?:now|no\s+longer)\s+(?:an?|the|bound|in)\b"
        r"|\b(?:pretend|act)\s+(?:to\s+be|as\s+if|as\s+an?)\s+(?:\w+\s+){0,3}(?:ai|model|assistant|admin\w*|developer)\b"
        r"|\b(?:developer|dan|jailbreak)\s+mode\b"
    ),
    "speaks as the system of a model": (
        r"<\|[a-z_]{1,30}\|>|\[/?inst\]|<</?sys>>|</?(?:system|assistant)(?:_prompt)?>"
        r"|^[^\S\n]{0,8}(?:#{1,6}[^\S\n])?(?:system|assistant)(?:[^\S\n]+(?:prompt|message|instructions?))?[^\S\n]{0,8}:"
        r"|\bnew\s+(?:system\s+)?instructions?\s*:"
    ),
    "asks a model for its prompt or for secrets": (
        r"\b(?:reveal|print|show|repeat|output|leak|exfiltrate|send)\s+(?:\w+\s+){0,4}"
        r"(?:system\s+prompt|hidden\s+prompt|initial\s+instructions|api\s+keys?|credentials|passwords?)\b"
    ),
    "asks a model to hide something from its user": (
        r"\b(?:do\s+not|don't|never)\s+(?:tell|inform|mention|reveal|alert)\s+(?:\w+\s+){0,4}(?:the\s+)?users?\b"
    ),
}
# What each pattern needs one of, in lower case: a plain search is far cheaper than a pattern, and most text has none.
_NEEDED: Final = {
    "tells a model to forget its instructions": ("ignore", "disregard", "forget", "override", "bypass"),
    "tells a model who it is": ("you", "pretend", "act", "mode"),
    "speaks as the system of a model": ("<|", "inst]", "sys", "assistant", "instruction"),
    "asks a model for its prompt or for secrets": ("prompt", "initial", "api", "credential", "password"),
    "asks a model to hide something from its user": ("user",),
}
_CHECKS: Final = tuple((what, _NEEDED[what], re.compile(pattern, re.MULTILINE)) for what, pattern in _PATTERNS.items())


def suspicions_of(text: str) -> tuple[str, ...]:
    """Return what in the text reads like an order to a model, as clauses in a fixed order."""
    lowered = text.lower()
    return tuple(
        what
        for what, needed, pattern in _CHECKS
        if any(word in lowered for word in needed) and pattern.search(lowered) is not None
    )
