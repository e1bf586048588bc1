"""What the client takes from its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.client import ConfigurationError, Settings

if TYPE_CHECKING:
    from aeterna.client.operation import Service

COMPLETE = {
    "AETERNA_GRAPH_URL": "http://127.0.0.1:1",
    "AETERNA_THREADS_URL": "http://127.0.0.1:2",
    "AETERNA_TOKEN": "t",
}


def test_a_token_in_the_environment_goes_before_a_file() -> None:
    settings = Settings.from_env({**COMPLETE, "AETERNA_TOKEN_FILE": "/nowhere"})

    assert settings.token.token() == "t"


ADDRESSES: tuple[tuple[Service, str], ...] = (
    ("graph", "AETERNA_GRAPH_URL"),
    ("threads", "AETERNA_THREADS_URL"),
    ("policies", "AETERNA_POLICIES_URL"),
)


@pytest.mark.parametrize(("service", "name"), ADDRESSES)
def test_the_address_of_one_service_is_enough_for_it(service: Service, name: str) -> None:
    settings = Settings.from_env({name: "http://127.0.0.1:1", "AETERNA_TOKEN": "t"})

    assert settings.url(service) == "http://127.0.0.1:1"


@pytest.mark.parametrize(("service", "name"), ADDRESSES)
def test_a_missing_address_is_named_once_it_is_needed(service: Service, name: str) -> None:
    others = {other: "http://127.0.0.1:1" for _, other in ADDRESSES if other != name}
    settings = Settings.from_env({**others, "AETERNA_TOKEN": "t"})

    with pytest.raises(ConfigurationError, match=f"{name} is not set"):
        settings.url(service)


def test_an_environment_without_any_address_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="AETERNA_GRAPH_URL, AETERNA_THREADS_URL or AETERNA_POLICIES_URL"):
        Settings.from_env({"AETERNA_TOKEN": "t"})


def test_a_missing_token_is_named() -> None:
    with pytest.raises(ConfigurationError, match="AETERNA_TOKEN_FILE"):
        Settings.from_env({key: value for key, value in COMPLETE.items() if key != "AETERNA_TOKEN"})


@pytest.mark.parametrize("url", ["localhost:80", "ftp://x", "http://", "http://x?y=1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not the address"):
        Settings.from_env({**COMPLETE, "AETERNA_GRAPH_URL": url})


def test_a_token_file_that_is_missing_is_named() -> None:
    environment = {key: value for key, value in COMPLETE.items() if key != "AETERNA_TOKEN"}
    settings = Settings.from_env({**environment, "AETERNA_TOKEN_FILE": "/nowhere/token"})

    with pytest.raises(ConfigurationError, match="/nowhere/token"):
        settings.token.token()
