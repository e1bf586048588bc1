"""What the client takes from its environment."""

from __future__ import annotations

import pytest

from aeterna.client import ConfigurationError, Settings

COMPLETE = {
    "AETERNA_GRAPH_URL": "http://127.0.0.1:1",
    "AETERNA_THREADS_URL": "http://127.0.0.1:2",
    "AETERNA_TOKEN": "t",
}


def test_a_token_in_the_environment_goes_before_a_file() -> None:
    settings = Settings.from_env({**COMPLETE, "AETERNA_TOKEN_FILE": "/nowhere"})

    assert settings.token.token() == "t"


@pytest.mark.parametrize("name", ["AETERNA_GRAPH_URL", "AETERNA_THREADS_URL"])
def test_a_missing_address_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_env({key: value for key, value in COMPLETE.items() if key != name})


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
