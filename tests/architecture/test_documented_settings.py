"""What the guides say of settings and of decisions is the whole of it: each setting is named, and none that is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from aeterna.api.settings import KnowledgeSettings
from aeterna.injector.settings import InjectorSettings
from aeterna.policies.settings import PoliciesSettings
from aeterna.policy.settings import PolicySettings
from aeterna.relay.settings import RelaySettings
from aeterna.secrets.settings import SecretsSettings
from aeterna.service.settings import ListenSettings, ServiceSettings
from aeterna.threads.settings import ThreadsSettings
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

GUIDE = ROOT / "docs" / "guide"
THREADS_PAGES = sorted(GUIDE.glob("threads*.md"))
POLICY_PAGES = sorted(GUIDE.glob("policy*.md"))
SECRETS_PAGES = sorted(GUIDE.glob("secrets*.md"))
ROW = re.compile(r"^\|([^|]+)\|", re.MULTILINE)


def told(prefix: str, text: str) -> set[str]:
    """Return the fields whose variables the first column of a table names."""
    names = (name for cell in ROW.findall(text) for name in re.findall(r"`([A-Z][A-Z_]+)`", cell))
    return {name.removeprefix(prefix).lower() for name in names if name.startswith(prefix)}


def own(settings: type[BaseSettings], told_elsewhere: type[BaseSettings]) -> set[str]:
    """Return the fields that a service has beside those that the page of all services tells."""
    return set(settings.model_fields) - set(told_elsewhere.model_fields)


def test_every_setting_of_the_sidecar_is_in_its_guides_and_no_other() -> None:
    named = told("AETERNA_POLICY_", "\n".join(page.read_text("utf-8") for page in POLICY_PAGES))

    assert own(PolicySettings, ListenSettings) - named == set()
    assert named - set(PolicySettings.model_fields) == set()


def test_every_setting_of_the_secrets_sidecar_is_in_its_guides_and_no_other() -> None:
    named = told("AETERNA_SECRETS_", "\n".join(page.read_text("utf-8") for page in SECRETS_PAGES))

    assert own(SecretsSettings, ListenSettings) - named == set()
    assert named - set(SecretsSettings.model_fields) == set()


def test_every_setting_of_the_injector_is_in_its_guides_and_no_other() -> None:
    pages = (GUIDE / "injector.md", GUIDE / "injection.md", GUIDE / "service.md")
    named = told("AETERNA_INJECTOR_", "\n".join(page.read_text("utf-8") for page in pages))

    assert own(InjectorSettings, ListenSettings) - named == set()
    assert named - set(InjectorSettings.model_fields) == set()


def test_every_setting_of_the_relay_is_in_its_guide_and_no_other() -> None:
    named = told("AETERNA_RELAY_", (GUIDE / "policy-opal.md").read_text("utf-8"))

    assert own(RelaySettings, ListenSettings) - named == set()
    assert named - set(RelaySettings.model_fields) == set()


def test_every_setting_of_the_administration_is_in_its_guide_and_no_other() -> None:
    page = (GUIDE / "policy-administration.md").read_text("utf-8")
    table = page.partition("## Settings\n")[2].partition("\n## ")[0].partition("Metrics beside")[0]
    named = told("", table)

    assert own(PoliciesSettings, ServiceSettings) - named == set()
    assert named - set(PoliciesSettings.model_fields) == set()


def test_every_setting_of_the_thread_store_is_in_its_guides_and_no_other() -> None:
    pages = "\n".join(page.read_text("utf-8") for page in THREADS_PAGES)
    table = (GUIDE / "threads.md").read_text("utf-8").partition("## Settings\n")[2]
    named = {name.lower() for name in re.findall(r"`AETERNA_THREADS_([A-Z_]+)", pages)} | told("", table)

    assert own(ThreadsSettings, ServiceSettings) - named == set()
    assert named - set(ThreadsSettings.model_fields) == set()


def test_every_setting_of_knowledge_is_in_its_guide_and_no_other() -> None:
    named = told("AETERNA_API_", (GUIDE / "knowledge.md").read_text("utf-8"))

    assert set(KnowledgeSettings.model_fields) - named == set()
    assert named - set(KnowledgeSettings.model_fields) == set()


@pytest.mark.parametrize("name", sorted(ServiceSettings.model_fields))
def test_every_setting_of_all_services_is_on_their_page(name: str) -> None:
    assert f"<P>_{name.upper()}" in (GUIDE / "service.md").read_text("utf-8")


def test_the_way_to_every_page_has_every_decision() -> None:
    listed = re.findall(r"\(adr/([\w.-]+)\)", (ROOT / "docs" / "README.md").read_text("utf-8"))

    assert listed == sorted(path.name for path in (ROOT / "docs" / "adr").glob("*.md"))
