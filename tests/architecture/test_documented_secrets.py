"""The guides of secrets are true: every document in them can be read, and every code that a process tells is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from aeterna.contracts.errors import AeternaError
from aeterna.injector import errors as of_the_injector
from aeterna.secrets import errors as of_secrets
from aeterna.secrets.adapters.configuration_file import read_configuration
from aeterna.secrets.adapters.jinja_templates import JinjaTemplates
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

GUIDE: Final = ROOT / "docs" / "guide"
BLOCKS: Final = [
    (page, block)
    for page in ("secrets", "secrets-files")
    for block in re.findall(r"^```yaml\n(.*?)^```", (GUIDE / f"{page}.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
]
SOURCE: Final = {"kind": "vault", "address": "https://vault.example:8200", "login": {"method": "jwt", "role": "app"}}
DECLARED: Final[dict[str, Any]] = {
    "sources": {"vault": SOURCE},
    "secrets": {name: {"source": "vault", "kv": f"app/{name}"} for name in ("database", "api", "tls")},
}
"""What a block leaves out that is only about files."""


def told(*pages: Path) -> set[str]:
    """Return what stands between backticks and looks like a code."""
    return {code for page in pages for code in re.findall(r"`([a-z]+\.\w+)`", page.read_text("utf-8"))}


def codes(errors: ModuleType) -> set[str]:
    """Return the codes of the errors that a module raises, and not those of the kinds that they are of."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AeternaError)]
    return {kind.code for kind in kinds if not any(issubclass(other, kind) for other in kinds if other is not kind)}


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=[f"{page}-{place}" for place, (page, _) in enumerate(BLOCKS)])
def test_a_document_of_the_guides_is_read_as_it_stands(page: str, block: str, tmp_path: Path) -> None:
    (tmp_path / "secrets.yaml").write_text(yaml.safe_dump(DECLARED | yaml.safe_load(block)), "utf-8")

    found = read_configuration(tmp_path)

    needed = {name for file in found.files for name in JinjaTemplates().needs(file)}
    assert needed - set(found.secrets) == set(), page


def test_every_code_of_the_secrets_sidecar_is_in_its_guides() -> None:
    assert codes(of_secrets) - told(*GUIDE.glob("secrets*.md")) == set()


def test_every_code_of_the_injector_is_in_its_guides() -> None:
    assert codes(of_the_injector) - told(GUIDE / "injection.md", GUIDE / "injector.md") == set()
