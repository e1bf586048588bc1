"""Files in any encoding that can be told are read, and what hides in a text is not kept."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import pytest

from aeterna.knowledge.adapters.documents.decoding import decoded
from aeterna.knowledge.adapters.documents.refusals import RefusedError

if TYPE_CHECKING:
    from fixtures.fix_documents import Documents

GERMAN = "Die Größe der Bäume überraschte alle, die früher schöne Gärten für natürlich hielten. " * 20


@pytest.mark.parametrize(
    "content",
    [
        GERMAN.encode(),
        codecs.BOM_UTF8 + GERMAN.encode(),
        codecs.BOM_UTF16_LE + GERMAN.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + GERMAN.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + GERMAN.encode("utf-32-le"),
        GERMAN.encode("cp1252"),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16-le", "utf-16-be", "utf-32-le", "windows-1252"],
)
def test_a_text_is_the_same_in_every_encoding(content: bytes) -> None:
    assert decoded(content).text == GERMAN


def test_a_guessed_encoding_is_said() -> None:
    assert "does not say its encoding" in decoded(GERMAN.encode("cp1252")).warnings[0]


def test_a_page_is_read_in_the_encoding_that_it_declares(documents: Documents) -> None:
    page = "<meta charset='windows-1251'><p>Привет</p>".encode("cp1251")

    assert documents.text(page, "a.html").text == "Привет"


@pytest.mark.parametrize("declared", ["utf-7", "zlib", "rot13", "unicode_escape", "no such thing", "idna"])
def test_a_declared_codec_that_no_page_is_written_in_is_not_used(declared: str) -> None:
    assert decoded(GERMAN.encode("cp1252"), declared=declared).text == GERMAN


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.7 x", "a PDF file"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"\x89PNG\r\n", "a picture"),
        (b"text\0text", "NUL"),
        (bytes(range(1, 256)) * 4, "control characters|no encoding"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a", "is not utf-16-le"),
    ],
)
def test_what_is_no_text_is_refused_and_named(content: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        decoded(content)


@pytest.mark.parametrize(
    ("hidden", "warning"),
    [("\x1b", "control"), ("\u202e", "direction"), ("\U000e0041", "invisible tag")],
)
def test_what_hides_in_a_text_is_replaced_and_said_and_places_stay_what_they_are(hidden: str, warning: str) -> None:
    said = decoded(f"Größe: a{hidden}b".encode())

    assert said.text == "Größe: a\ufffdb"
    assert warning in said.warnings[0]


def test_marks_that_arabic_and_hebrew_need_are_kept() -> None:
    text = "שלום \u2067abc\u2069 \u200f."

    assert decoded(text.encode()).text == text
