"""What the graph API reads from its environment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aeterna.api.settings import ApiSettings
from aeterna.service.errors import SettingsInvalidError
from aeterna.service.settings import load

NEEDED = {
    "AETERNA_API_CATALOG_URI": "sqlite:////var/lib/aeterna/catalog.db",
    "AETERNA_API_WAREHOUSE": "/var/lib/aeterna/warehouse",
    "AETERNA_API_ISSUER": "https://issuer.example",
    "AETERNA_API_JWKS": "/etc/aeterna/jwks.json",
    "AETERNA_API_POLICY_URL": "http://127.0.0.1:8180",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_a_commit_survives_a_power_failure_unless_told_otherwise() -> None:
    assert load(ApiSettings).durability == "power"


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_setting_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)

    with pytest.raises(SettingsInvalidError, match=name):
        load(ApiSettings)


def test_times_are_seconds(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AETERNA_API_QUERY_TIMEOUT", "2.5")

    assert load(ApiSettings).query_timeout == timedelta(seconds=2.5)
