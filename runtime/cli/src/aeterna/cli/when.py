"""Reads the words for a point in the graph's history: a snapshot id, a tag, a date, a time, or "3 hours ago"."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time

from aeterna.cli.errors import TimeUnclearError

SHORTEST_SNAPSHOT = 6
"""Digits from which a number is a snapshot id; fewer would be a year or a slip of the hand."""
AGO = re.compile(r"(\d+)\s*(second|minute|hour|day|week)s?(?:\s+ago)?")


NAMED = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,127}|seq:[0-9]{1,18}")
"""What the graph takes for a tag or a seq; words for a time go first."""


def point_in_history(words: str, now: datetime) -> str:
    """Return a snapshot id, seq, tag or RFC 3339 time; a date alone is the end of that day, in ``now``'s zone."""
    text = words.strip().lower()
    if text.isascii() and text.isdigit() and len(text) >= SHORTEST_SNAPSHOT:
        return text
    if text == "now":
        return now.isoformat()
    if text == "yesterday":
        return _end_of(now.date() - timedelta(days=1), now)
    if NAMED.fullmatch(words.strip()):
        return words.strip()
    ago = AGO.fullmatch(text)
    if ago:
        return (now - timedelta(**{f"{ago[2]}s": int(ago[1])})).isoformat()
    return _written_time(words, text, now)


def _written_time(words: str, text: str, now: datetime) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return _end_of(date.fromisoformat(text), now)
        moment = datetime.fromisoformat(words.strip())
    except ValueError as unclear:
        raise TimeUnclearError(words) from unclear
    if text.isdigit():
        raise TimeUnclearError(words)
    return (moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo or UTC)).isoformat()


def _end_of(day: date, now: datetime) -> str:
    return datetime.combine(day, day_time.max, tzinfo=now.tzinfo or UTC).isoformat()
