"""What the guide says of the injection is the whole of it: annotations, variables, reasons, results."""

from __future__ import annotations

import re
from typing import Final

from aeterna.contracts.injection import Exemption, Wish, errors, names, parts
from aeterna.contracts.injection.errors import InjectionError, InvalidInstallationError
from aeterna.contracts.injection.wish import WRITTEN_BY_AUTHORS
from aeterna.injector.domain.admission import Result
from fixtures.pods_for_injection import installation
from fixtures.workspace import ROOT

PAGE: Final = (ROOT / "docs" / "guide" / "injection.md").read_text("utf-8")


def codes(section: str) -> set[str]:
    """Return what stands between backticks in the tables of a section."""
    text = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return {found for row in rows for found in re.findall(r"`([^`]+)`", row)}


def test_every_annotation_is_in_the_guide_and_no_other() -> None:
    told = {each for each in codes("Annotations") if each.startswith("aeterna.io/")}

    assert told == set(WRITTEN_BY_AUTHORS)
    assert all(f"`{each}`" in PAGE for each in (names.STATUS, names.INJECTED))


def test_every_variable_is_in_the_guide_and_no_other() -> None:
    told = installation(otlp_endpoint="http://collector:4318")
    wished = Wish(policy=True, secrets=True, secrets_config="app", cache_ttl=0)
    injected = {str(each["name"]) for each in parts(wished, told, tenant="acme").env}

    section = PAGE.partition("## What a pod gets\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(AETERNA_[A-Z_]+)`", section)) == injected


def test_every_reason_of_a_refusal_is_in_the_guide_and_no_other() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, InjectionError)]
    met_by_pods = {kind.code for kind in kinds} - {InjectionError.code, InvalidInstallationError.code}

    told = {each for each in codes("What is refused") if each.startswith("injection.")}
    assert told == met_by_pods


def test_every_result_and_exemption_is_in_the_guide() -> None:
    assert {result.value for result in Result} - codes("Metrics") == set()
    assert {each.value for each in Exemption} - codes("What stays as it is") == set()


def test_every_path_is_in_the_guide() -> None:
    wished = Wish(policy=True, secrets=True, secrets_config="app")
    paths = {str(each["mountPath"]) for each in parts(wished, installation(), tenant="acme").mounts}

    assert paths - codes("What a pod gets") == set()
