"""What is injected into a pod is just what the programs there read, and is enough for them to start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from aeterna.a2a.settings import AgentSettings
from aeterna.client import settings as client
from aeterna.client.settings import Settings
from aeterna.contracts.injection import Installation, Wish, parts
from aeterna.policy.settings import PolicySettings
from aeterna.secrets.settings import SecretsSettings
from aeterna.service.settings import ListenSettings, load
from fixtures.pods_for_injection import installation

if TYPE_CHECKING:
    from collections.abc import Mapping

WISH: Final = Wish(policy=True, secrets=True, secrets_config="app", cache_ttl=0)
BUNDLES: Final = installation(otlp_endpoint="http://collector.example:4318")
PUSHES: Final = installation(opal_url="http://opal-server.aeterna.svc:7002")
FOR_AUTHORS: Final = {"AETERNA_POLICY_URL", "AETERNA_SECRETS_URL", "AETERNA_SECRETS_DIR"}
"""What an author hands to the enforcement point, and opens himself; see docs/guide/injection.md."""

SIDECARS: Final = {
    "policy, fed by bundles": ("aeterna-policy", BUNDLES, PolicySettings),
    "policy, fed by pushes": ("aeterna-policy", PUSHES, PolicySettings),
    "secrets": ("aeterna-secrets", BUNDLES, SecretsSettings),
}


def environment(variables: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    """Return variables as a kubelet sets them in a pod whose address is 10.0.0.7."""
    return {each["name"]: each.get("value", "10.0.0.7") for each in variables}


def of_sidecar(name: str, told: Installation) -> dict[str, str]:
    """Return a sidecar's environment."""
    containers: tuple[dict[str, Any], ...] = parts(WISH, told, tenant="acme").init_containers
    return environment(next(each["env"] for each in containers if each["name"] == name))


def of_app(told: Installation) -> dict[str, str]:
    """Return what is added to the environment of the pod's own containers."""
    return environment(parts(WISH, told, tenant="acme").env)


def loaded(kind: type[ListenSettings], found: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> ListenSettings:
    """Return the settings that a process reads from just this environment."""
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return load(kind)


def fields_of(kind: type[ListenSettings]) -> set[str]:
    """Return the names of the variables that settings are read from."""
    return {f"{kind.model_config.get('env_prefix', '')}{name.upper()}" for name in kind.model_fields}


@pytest.mark.parametrize(("name", "told", "kind"), SIDECARS.values(), ids=SIDECARS)
def test_a_sidecar_reads_each_variable_that_it_is_given(
    name: str, told: Installation, kind: type[ListenSettings]
) -> None:
    assert set(of_sidecar(name, told)) - fields_of(kind) == set()


@pytest.mark.parametrize(("name", "told", "kind"), SIDECARS.values(), ids=SIDECARS)
def test_a_sidecar_starts_from_just_what_it_is_given(
    name: str, told: Installation, kind: type[ListenSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = of_sidecar(name, told)

    settings = loaded(kind, given, monkeypatch)

    prefix = kind.model_config.get("env_prefix", "")
    assert {each.upper() for each in settings.model_fields_set} == {each.removeprefix(prefix) for each in given}


def test_the_policy_sidecar_listens_on_the_socket_that_the_pod_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(PolicySettings, of_sidecar("aeterna-policy", BUNDLES), monkeypatch)

    assert isinstance(settings, PolicySettings)
    assert of_app(BUNDLES)["AETERNA_POLICY_URL"] == f"unix:{settings.socket}"


def test_the_secrets_sidecar_writes_where_the_pod_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(SecretsSettings, of_sidecar("aeterna-secrets", BUNDLES), monkeypatch)

    assert isinstance(settings, SecretsSettings)
    assert of_app(BUNDLES)["AETERNA_SECRETS_URL"] == f"unix:{settings.socket}"
    assert of_app(BUNDLES)["AETERNA_SECRETS_DIR"] == str(settings.files)


def test_an_agent_starts_from_just_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: value for name, value in of_app(BUNDLES).items() if name.startswith("AETERNA_AGENT_")}

    settings = loaded(AgentSettings, given, monkeypatch)

    assert {f"AETERNA_AGENT_{each.upper()}" for each in settings.model_fields_set} == set(given)


def test_a_program_with_the_client_starts_from_just_what_it_is_given() -> None:
    settings = Settings.from_env(of_app(BUNDLES))

    told = installation()
    assert (settings.graph_url, settings.threads_url, settings.policies_url) == (
        told.graph_url,
        told.threads_url,
        told.policies_url,
    )


def test_every_variable_of_the_pods_own_containers_is_read_by_something() -> None:
    """A misspelled one would be noticed by nobody."""
    read = {value for value in vars(client).values() if isinstance(value, str) and value.startswith("AETERNA_")}

    assert set(of_app(BUNDLES)) - read - fields_of(AgentSettings) - FOR_AUTHORS == set()
