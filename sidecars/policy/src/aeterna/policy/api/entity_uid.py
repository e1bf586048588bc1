"""Entity uids as Cedar writes them in text: ``Namespace::Type::"id"``, with the escapes of a Cedar string."""

from __future__ import annotations

import re
from typing import Final

from aeterna.cedar.domain.request import Uid

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_UID: Final = re.compile(rf'({_NAME}(?:::{_NAME})*)::"((?:[^"\\\r]|\\.)*)"', re.DOTALL)
# Cedar's grammar keeps these words for itself; no part of a type's name may be one of them.
_RESERVED: Final = frozenset({"true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"})
_ESCAPE: Final = re.compile(r"\\(?:([nrt0\\'\"])|x([0-7][0-9A-Fa-f])|u\{([0-9A-Fa-f_]{1,12})\}|(.))", re.DOTALL)
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", "'": "'", '"': '"'}
_LAST_CODE_POINT: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)
_MOST_DIGITS: Final = 6


def parse_uid(text: str) -> Uid:
    """Return the uid that a text writes, or raise ValueError saying what is wrong with it."""
    found = _UID.fullmatch(text)
    if found is None:
        raise ValueError('must be an entity uid such as User::"alice"')
    if not _RESERVED.isdisjoint(found[1].split("::")):
        raise ValueError("has a word of Cedar's own in its type")
    return Uid(found[1], _ESCAPE.sub(_unescaped, found[2]))


def _unescaped(found: re.Match[str]) -> str:
    """Return the character of one escape, as Rust and so Cedar knows them."""
    plain, byte, point, other = found.groups()
    if plain is not None:
        return _PLAIN[plain]
    if byte is not None:
        return chr(int(byte, 16))
    if point is not None:
        digits = point.replace("_", "")
        if point[0] != "_" and 0 < len(digits) <= _MOST_DIGITS:
            code = int(digits, 16)
            if code <= _LAST_CODE_POINT and code not in _SURROGATES:
                return chr(code)
    raise ValueError(f"has an escape that Cedar does not know: {other or 'u'!r}")
