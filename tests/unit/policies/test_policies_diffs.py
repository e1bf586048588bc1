"""A diff is one that `patch` understands, and a large one does not take for ever."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.policies.domain.diffs import file_diffs

if TYPE_CHECKING:
    from pathlib import Path

LINES = st.lists(st.sampled_from(["permit", "forbid", "", "when", "unless"]), max_size=12)


def patched(before: str, text: str, folder: Path) -> str:
    """Return what git makes of a file with the diff."""
    (folder / "a.cedar").write_text(before, encoding="utf-8")
    subprocess.run(["git", "apply", "--unidiff-zero", "-"], input=text, cwd=folder, check=True, text=True)
    return (folder / "a.cedar").read_text("utf-8")


def test_only_files_that_differ_are_told() -> None:
    found = file_diffs({"a": "1\n", "b": "2\n", "c": "3\n"}, {"a": "1\n", "b": "4\n", "d": "5\n"})

    assert [(file.path, file.change) for file in found] == [("b", "changed"), ("c", "removed"), ("d", "added")]
    assert found[0].text == "--- a/b\n+++ b/b\n@@ -1 +1 @@\n-2\n+4\n"


def test_a_missing_end_of_line_is_told() -> None:
    (found,) = file_diffs({"a": "1"}, {"a": "1\n"})

    assert found.text.endswith("-1\n\\ No newline at end of file\n+1\n")


@pytest.mark.parametrize("ended", ["", "\n"])
def test_one_hunk_replaces_what_would_take_long_to_compare(tmp_path: Path, ended: str) -> None:
    before = "".join(f"same {line}\n" for line in range(10)) + "".join(f"old {line}\n" for line in range(3000))
    after = "".join(f"same {line}\n" for line in range(10)) + "".join(f"new {line}\n" for line in range(3000))

    (found,) = file_diffs({"a.cedar": f"{before}tail{ended}"}, {"a.cedar": f"{after}tail{ended}"})

    assert found.text.count("@@ -") == 1
    assert found.text.splitlines()[2] == "@@ -8,3004 +8,3004 @@"
    assert patched(f"{before}tail{ended}", found.text, tmp_path) == f"{after}tail{ended}"


@settings(max_examples=40, deadline=None)
@given(before=LINES, after=LINES)
def test_one_hunk_says_the_same_as_many(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: list[str]
) -> None:
    old, new = ("".join(f"{line}\n" for line in lines) for lines in (before, after))

    for found in file_diffs({"a.cedar": old}, {"a.cedar": new}, most_compared=-1):
        assert found.text.count("@@ -") == 1
        assert patched(old, found.text, tmp_path_factory.mktemp("diff")) == new
