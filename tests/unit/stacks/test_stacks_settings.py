"""What the app of the examples reads from its environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from aeterna.stacks.settings import StacksSettings


def test_the_output_goes_where_the_cdks_command_line_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDKTF_OUTDIR", "elsewhere")

    assert StacksSettings().outdir == Path("elsewhere")


def test_the_output_goes_beside_the_project_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDKTF_OUTDIR", raising=False)

    assert StacksSettings().outdir == Path("cdktf.out")


def test_settings_cannot_be_changed_after_they_were_read() -> None:
    settings = StacksSettings(outdir=Path("here"))

    with pytest.raises(ValidationError):
        settings.outdir = Path("there")  # type: ignore[misc]  # the point of the test
