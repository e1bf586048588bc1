"""What the sidecar says of its environment: in words of the environment, and with no value of it."""

from __future__ import annotations

import pytest

from aeterna.secrets.settings import SecretsSettings
from aeterna.service.errors import SettingsInvalidError
from aeterna.service.settings import load

PEERS = "AETERNA_SECRETS_PEERS"


@pytest.mark.parametrize("wrong", ["1000", "1000,1001", "app", '["app"]', "[-1]", "[true]", "[10.5]", '{"1": 2}'])
def test_users_that_are_named_wrongly_are_refused_with_the_form_that_is_expected(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv(PEERS, wrong)

    with pytest.raises(SettingsInvalidError) as refused:
        load(SecretsSettings)

    assert f"{PEERS}: " in str(refused.value)
    assert "a JSON list of the numbers of users, such as [1000, 65532]" in str(refused.value)


@pytest.mark.parametrize(("named", "peers"), [("[1000, 65532]", {1000, 65532}), ("[]", set[int]()), ("null", None)])
def test_users_are_named_by_a_list_of_their_numbers(
    monkeypatch: pytest.MonkeyPatch, named: str, peers: set[int] | None
) -> None:
    monkeypatch.setenv(PEERS, named)

    assert load(SecretsSettings).peers == peers
