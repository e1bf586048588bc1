"""Receivers' secrets in the database: unreadable without the key, and useless at another place."""

from __future__ import annotations

import base64

import pytest

from aeterna.service.errors import SettingsInvalidError
from aeterna.threads.adapters.push_secrets import AesGcmSecretBox
from aeterna.threads.domain.push import PushSecrets
from aeterna.threads.errors import SecretsUnreadableError

OLD, NEW = b"o" * 32, b"n" * 32
SECRETS = PushSecrets(token="canary-token", credentials="canary-credentials")
PLACE = ("acme", "task-1", "phone")


def sealed(box: AesGcmSecretBox) -> bytes:
    """Return the secrets sealed."""
    found = box.seal(SECRETS, place=PLACE)
    assert found is not None
    return found


def test_what_is_sealed_is_opened_at_its_place() -> None:
    box = AesGcmSecretBox((NEW,))

    assert box.open(sealed(box), place=PLACE) == SECRETS


def test_nothing_of_the_secrets_can_be_seen() -> None:
    assert b"canary" not in sealed(AesGcmSecretBox((NEW,)))
    assert "canary" not in repr(SECRETS)


def test_the_same_secrets_are_never_sealed_alike() -> None:
    box = AesGcmSecretBox((NEW,))

    assert sealed(box) != sealed(box)


@pytest.mark.parametrize("place", [("other", "task-1", "phone"), ("acme", "task-2", "phone"), ("acme", "task-1", "x")])
def test_a_row_that_was_moved_opens_nothing(place: tuple[str, ...]) -> None:
    """Who can write to the database must not be able to send one receiver's secrets to another."""
    box = AesGcmSecretBox((NEW,))

    with pytest.raises(SecretsUnreadableError):
        box.open(sealed(box), place=place)


@pytest.mark.parametrize("cut", [0, 1, 5, 17, 30])
def test_what_was_cut_off_opens_nothing(cut: int) -> None:
    box = AesGcmSecretBox((NEW,))

    with pytest.raises(SecretsUnreadableError):
        box.open(sealed(box)[:cut], place=PLACE)


def test_an_older_key_still_opens_what_it_sealed() -> None:
    rotated = AesGcmSecretBox((NEW, OLD))

    assert rotated.open(sealed(AesGcmSecretBox((OLD,))), place=PLACE) == SECRETS
    assert AesGcmSecretBox((NEW,)).open(sealed(rotated), place=PLACE) == SECRETS


def test_a_key_that_is_gone_opens_nothing() -> None:
    with pytest.raises(SecretsUnreadableError):
        AesGcmSecretBox((NEW,)).open(sealed(AesGcmSecretBox((OLD,))), place=PLACE)


def test_a_receiver_without_secrets_has_nothing_sealed() -> None:
    box = AesGcmSecretBox((NEW,))

    assert box.seal(PushSecrets(), place=PLACE) is None
    assert box.open(None, place=PLACE) == PushSecrets()


@pytest.mark.parametrize("text", ["", "canary!", base64.b64encode(b"short canary").decode()])
def test_a_file_without_a_usable_key_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(SettingsInvalidError) as refused:
        AesGcmSecretBox.parse(text)

    assert "canary" not in str(refused.value)


def test_a_file_holds_a_key_a_line_the_newest_first() -> None:
    text = "\n".join(base64.b64encode(key).decode() for key in (NEW, OLD)) + "\n"

    assert AesGcmSecretBox((NEW,)).open(sealed(AesGcmSecretBox.parse(text)), place=PLACE) == SECRETS
