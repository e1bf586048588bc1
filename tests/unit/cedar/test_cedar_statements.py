"""The policies of a file, one by one."""

from __future__ import annotations

import pytest

from aeterna.cedar.domain.statements import statements


@pytest.mark.parametrize(
    ("why", "text", "expected"),
    [
        ("a comment above a policy is not of it", "// why\n\npermit(principal,action,resource);", [(3, "permit")]),
        (
            "a semicolon in a string ends nothing",
            '@id("a;b") permit(x);\nforbid(x);',
            [(1, '@id("a;b")'), (2, "forbid")],
        ),
        ("a quote behind a backslash ends no string", '@id("\\";") permit(x); forbid(x);', [(1, "@id"), (1, "forbid")]),
        ("a semicolon in a comment ends nothing", "permit(x) // a; b\n;\nforbid(x);", [(1, "permit"), (3, "forbid")]),
        ("two slashes in a string are no comment", '@id("a//b") permit(x); forbid(x);', [(1, "@id"), (1, "forbid")]),
        ("what no semicolon ends is a statement", "permit(x);\n\nforbid(", [(1, "permit"), (3, "forbid(")]),
        ("a comment at the end is none", "permit(x);\n// the end", [(1, "permit")]),
        ("nothing has none", "\n\n", []),
    ],
)
def test_policies_are_found_where_they_begin(why: str, text: str, expected: list[tuple[int, str]]) -> None:
    found = statements(text)

    assert [(one.line, one.text[: len(begin)]) for one, (_, begin) in zip(found, expected, strict=True)] == expected, (
        why
    )
