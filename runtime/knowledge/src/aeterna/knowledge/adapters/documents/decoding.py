"""Turns the bytes of a file into text: any encoding that can be told, no binaries, and nothing that hides in it."""

from __future__ import annotations

import codecs
import re
from typing import Final, NamedTuple

from charset_normalizer import from_bytes

from aeterna.knowledge.adapters.documents.refusals import RefusedError

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    # UTF-32's little-endian mark begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES: Final = (
    (b"%PDF-", "a PDF file"),
    (b"PK\x03\x04", "a ZIP archive, or an office file"),
    (b"\xd0\xcf\x11\xe0", "an old office file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"(\xb5/\xfd", "a zstd archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3\0", "a database"),
)
# Python has codecs that inflate, and others that HTML forbids: UTF-7 hid markup behind plain letters.
_PAGE_ENCODINGS: Final = re.compile(
    r"cp\d{3,4}|iso8859-\d{1,2}|koi8-[rut]|mac-[a-z]+|gb2312|gbk|gb18030|big5(hkscs)?|hz|euc_(jp|kr)|johab|shift_jis\w*"
    r"|iso2022_\w+|tis-620|ptcp154|utf-16(-[bl]e)?"
)
_SAMPLE_BYTES: Final = 32_768
_MOST_CHAOS: Final = 0.15
_MOST_CONTROLS: Final = 0.02
# What is shown otherwise than it is written: controls, overrides of the direction of writing (CVE-2021-42574), and the
# invisible "tag" letters that orders to models are hidden in. Flags of regions have them too, and lose them here.
_CONTROLS: Final = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_OVERRIDES: Final = re.compile("[\u202d\u202e]")
_TAGS: Final = re.compile("[\U000e0000-\U000e007f]")
_EMBEDDINGS: Final = re.compile("[\u202a\u202b\u2066-\u2068]")
_REPLACEMENT: Final = "\ufffd"


class Decoded(NamedTuple):
    """A text, what was odd about it, and the encoding that it was in."""

    text: str
    encoding: str
    warnings: tuple[str, ...]


def decoded(content: bytes, *, declared: str | None = None) -> Decoded:
    """Return the text of a file; ``declared`` is the encoding that it says it has. Raise `RefusedError`."""
    text, encoding, warning = _text(content, declared)
    kept, warnings = cleaned(text)
    return Decoded(kept, encoding, (*warning, *warnings))


def _text(content: bytes, declared: str | None) -> tuple[str, str, tuple[str, ...]]:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _strictly(content[len(mark) :], encoding), encoding, ()
    for signature, what in _SIGNATURES:
        if content.startswith(signature):
            raise RefusedError(f"is {what}, which is not read")
    if 0 in content:
        raise RefusedError("holds NUL bytes: it is binary, or UTF-16 without a byte order mark")
    try:
        return content.decode(), "utf-8", ()
    except UnicodeDecodeError:
        pass
    if declared is not None and (encoding := _text_codec(declared)) is not None:
        try:
            return content.decode(encoding), encoding, ()
        except UnicodeDecodeError:
            pass
    return _guessed(content)


def _strictly(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as problem:
        raise RefusedError(
            f"has the byte order mark of {encoding}, and is not {encoding}: {problem.reason}"
        ) from problem
    if "\0" in text:
        raise RefusedError("holds NUL characters")
    return text


def _text_codec(name: str) -> str | None:
    """Return the name of an encoding as Python has it; None for what no page is written in."""
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return None
    # HTML means windows-1252 whenever it says Latin-1 or ASCII (WHATWG, Encoding standard).
    if found in ("iso8859-1", "ascii"):
        return "cp1252"
    return found if _PAGE_ENCODINGS.fullmatch(found) else None


def _guessed(content: bytes) -> tuple[str, str, tuple[str, ...]]:
    best = from_bytes(_sample(content)).best()
    if best is None or best.chaos > _MOST_CHAOS:
        raise RefusedError("is in no encoding that can be told with confidence; save it as UTF-8")
    try:
        text = content.decode(best.encoding)
    except UnicodeDecodeError as problem:
        raise RefusedError(
            f"begins like {best.encoding}, and is not {best.encoding} to its end; save it as UTF-8"
        ) from problem
    return text, best.encoding, (f"does not say its encoding; it was read as {best.encoding}",)


def _sample(content: bytes) -> bytes:
    """Return what the guess is made of: the beginning, and the first part that is not ASCII."""
    if len(content) <= _SAMPLE_BYTES:
        return content
    odd = next((found.start() for found in re.finditer(rb"[\x80-\xff]", content)), 0)
    start = max(0, odd - _SAMPLE_BYTES // 2)
    return content[start : start + _SAMPLE_BYTES]


def cleaned(text: str, *, binary_is_refused: bool = True) -> tuple[str, tuple[str, ...]]:
    """Return the text with what hides something replaced, each by one character so that places stay what they are."""
    if text.isascii() and text.isprintable():
        return text, ()
    warnings: list[str] = []
    text, controls = _CONTROLS.subn(_REPLACEMENT, text)
    if binary_is_refused and controls > max(8, len(text) * _MOST_CONTROLS):
        raise RefusedError(f"holds {controls} control characters among {len(text)}: it is binary")
    if controls:
        warnings.append(f"{controls} control characters were replaced")
    if text.isascii():
        return text, tuple(warnings)
    for pattern, what in (
        (_OVERRIDES, "overrides of the direction of writing"),
        (_TAGS, "invisible tag characters"),
    ):
        text, count = pattern.subn(_REPLACEMENT, text)
        if count:
            warnings.append(f"{count} {what} were replaced")
    if count := len(_EMBEDDINGS.findall(text)):
        warnings.append(f"{count} marks of embedded direction are in it: it may read otherwise than it looks")
    return text, tuple(warnings)
