"""The little of Redis' protocol (RESP) that a login takes; all else passes through unread."""

from __future__ import annotations

import re
from typing import Final

# The first word of an error is its kind (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
_KIND: Final = re.compile(rb"-([A-Z]{1,32})[ \r]")


def command(*words: str) -> bytes:
    """Return a command as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        encoded = word.encode("utf-8")
        parts.append(b"$%d\r\n%b\r\n" % (len(encoded), encoded))
    return b"".join(parts)


def login(user: str | None, password: str) -> bytes:
    """Return the command that logs in; without a user it is as the one that the cache knows without a name."""
    return command("AUTH", password) if user is None else command("AUTH", user, password)


def error_kind(answer: bytes) -> str:
    """Return the kind of an error, for people; never any of its text, which may hold what was sent."""
    found = _KIND.match(answer)
    return found[1].decode("ascii") if found else "no error that Redis knows"
