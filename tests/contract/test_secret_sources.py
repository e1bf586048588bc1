"""What every source of secrets is to the sidecar, and what those of the clouds are beside that."""

from __future__ import annotations

import base64
import logging
import uuid

import pytest

from aeterna.secrets.domain.secret import Grant, Lease, Reference
from aeterna.secrets.errors import (
    AccessDeniedError,
    LeaseLostError,
    SecretAbsentError,
    SourceAnswerError,
    SourceUnavailableError,
)
from fixtures.secret_source_worlds import ASSERTION, CloudWorld, SecretWorld, ShelfWorld, document

VALUE = "a-value-that-must-not-show"


@pytest.fixture
def name() -> str:
    """Return a name of the test's own: moto's state is the process's."""
    return f"app-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Return all that any library logs."""
    caplog.set_level(logging.DEBUG)
    for talkative in ("botocore", "azure", "msal", "google.auth", "urllib3", "httpcore", "httpx"):
        logger = logging.getLogger(talkative)
        logger.setLevel(logging.DEBUG)
        logger.propagate = True
    return caplog


def test_what_is_kept_is_its_fields_and_is_not_leased(secret_world: SecretWorld, name: str) -> None:
    secret_world.put(name, document(username="app", password=VALUE, port=5432))

    secret = secret_world.source.fetch(secret_world.reference(name))

    assert dict(secret.fields) == {"username": "app", "password": VALUE, "port": 5432}
    assert secret.lease is None
    assert VALUE not in repr(secret)


def test_another_value_is_another_version_and_the_same_one_is_not(secret_world: SecretWorld, name: str) -> None:
    secret_world.put(name, document(password="one"))
    source, reference = secret_world.source, secret_world.reference(name)
    first = [source.fetch(reference), source.fetch(reference)]

    secret_world.put(name, document(password="two"))

    second = source.fetch(reference)
    assert first[0] == first[1]
    assert second.fields["password"] == "two"
    assert second.version != first[0].version


def test_a_secret_that_never_was_is_absent(secret_world: SecretWorld, name: str) -> None:
    with pytest.raises(SecretAbsentError):
        secret_world.source.fetch(secret_world.reference(name))


def test_a_secret_that_was_taken_away_is_absent(secret_world: SecretWorld, name: str) -> None:
    secret_world.put(name, document(password=VALUE))
    source = secret_world.source
    source.fetch(secret_world.reference(name))

    secret_world.disable(name)

    with pytest.raises(SecretAbsentError):
        source.fetch(secret_world.reference(name))


def test_who_may_not_read_it_is_told_so_and_is_served_as_soon_as_he_may(secret_world: SecretWorld, name: str) -> None:
    secret_world.put(name, document(password=VALUE))
    source = secret_world.source
    secret_world.fail(403)
    with pytest.raises(AccessDeniedError):
        source.fetch(secret_world.reference(name))

    secret_world.fail(None)

    assert source.fetch(secret_world.reference(name)).fields["password"] == VALUE


@pytest.mark.parametrize("status", [429, 503])
def test_a_source_in_trouble_is_unavailable_and_is_not_for_ever(
    secret_world: SecretWorld, name: str, status: int
) -> None:
    secret_world.put(name, document(password=VALUE))
    source = secret_world.source
    secret_world.fail(status)
    with pytest.raises(SourceUnavailableError):
        source.fetch(secret_world.reference(name))

    secret_world.fail(None)

    assert source.fetch(secret_world.reference(name)).fields["password"] == VALUE


def test_any_other_text_is_one_field_when_it_is_declared_so(cloud_secrets: CloudWorld, name: str) -> None:
    cloud_secrets.put(name, f"{VALUE}\n".encode())

    secret = cloud_secrets.source.fetch(Reference(path=name, decode="text"))

    assert dict(secret.fields) == {"value": f"{VALUE}\n"}


@pytest.mark.parametrize("cloud_secrets", ["aws", "gcp"], indirect=True)
def test_what_is_no_text_is_one_field_in_base64(cloud_secrets: CloudWorld, name: str) -> None:
    """Azure keeps text alone."""
    cloud_secrets.put(name, b"\xff\x00\xfe")

    secret = cloud_secrets.source.fetch(Reference(path=name, decode="text"))

    assert base64.b64decode(str(secret.fields["value"])) == b"\xff\x00\xfe"


def test_text_that_should_be_json_is_refused_without_showing_it(cloud_secrets: CloudWorld, name: str) -> None:
    cloud_secrets.put(name, VALUE.encode())

    with pytest.raises(SourceAnswerError) as refused:
        cloud_secrets.source.fetch(Reference(path=name))

    assert VALUE not in f"{refused.value!r}{refused.value.__cause__!r}"


def test_a_new_version_is_seen_by_the_next_fetch_and_an_old_one_by_its_name(
    cloud_secrets: CloudWorld, name: str
) -> None:
    first = cloud_secrets.put(name, document(password="one"))
    source = cloud_secrets.source
    before = source.fetch(Reference(path=name))

    second = cloud_secrets.put(name, document(password="two"))

    assert before.version == first
    assert source.fetch(Reference(path=name)).version == second
    assert source.fetch(Reference(path=name, version=first)).fields["password"] == "one"


@pytest.mark.parametrize("path", ["../../other", "a/b?c=d", "a#b", "a b", "ä", "x" * 300])
@pytest.mark.parametrize("cloud_secrets", ["gcp", "azure"], indirect=True)
def test_a_path_that_would_lead_elsewhere_is_never_asked_for(cloud_secrets: CloudWorld, path: str) -> None:
    with pytest.raises(SecretAbsentError):
        cloud_secrets.source.fetch(Reference(path=path))

    assert cloud_secrets.faults.asked == 0


@pytest.mark.parametrize("status", [429, 500])
def test_a_manager_in_trouble_is_unavailable_and_nothing_of_its_answer_is_told(
    cloud_secrets: CloudWorld, name: str, status: int
) -> None:
    cloud_secrets.put(name, document(password=VALUE))
    cloud_secrets.faults.status = status

    with pytest.raises(SourceUnavailableError) as told:
        cloud_secrets.source.fetch(Reference(path=name))

    assert not [token for token in cloud_secrets.faults.tokens if token in f"{told.value!r}{told.value.__cause__!r}"]


@pytest.mark.parametrize("cloud_secrets", ["gcp", "azure"], indirect=True)
def test_a_manager_that_says_when_to_come_back_is_believed(cloud_secrets: CloudWorld, name: str) -> None:
    cloud_secrets.faults.status, cloud_secrets.faults.retry_after = 429, "17"

    with pytest.raises(SourceUnavailableError) as told:
        cloud_secrets.source.fetch(Reference(path=name))

    assert told.value.retry_after == 17


def test_it_is_asked_as_what_the_issuer_made_of_the_pods_own_token(cloud_secrets: CloudWorld, name: str) -> None:
    cloud_secrets.put(name, document(password=VALUE))
    source = cloud_secrets.source

    source.fetch(Reference(path=name))
    source.fetch(Reference(path=name))

    assert cloud_secrets.faults.tokens == [cloud_secrets.issuer.issued[0]] * 2
    assert len(cloud_secrets.issuer.issued) == 1


def test_an_issuer_in_trouble_is_a_login_without_success_and_is_asked_again_the_next_time(
    cloud_secrets: CloudWorld, name: str
) -> None:
    cloud_secrets.put(name, document(password=VALUE))
    source = cloud_secrets.source
    cloud_secrets.issuer.out_of_order = True
    with pytest.raises((AccessDeniedError, SourceUnavailableError)):
        source.fetch(Reference(path=name))
    assert cloud_secrets.faults.asked == 0

    cloud_secrets.issuer.out_of_order = False

    assert source.fetch(Reference(path=name)).fields["password"] == VALUE


@pytest.mark.parametrize("cloud_secrets", ["gcp", "azure"], indirect=True)
def test_a_token_that_is_not_believed_any_more_is_replaced(cloud_secrets: ShelfWorld, name: str) -> None:
    cloud_secrets.put(name, document(password=VALUE))
    source = cloud_secrets.source
    source.fetch(Reference(path=name))
    cloud_secrets.issuer.rotate()
    cloud_secrets.issuer.token()
    with pytest.raises(AccessDeniedError):
        source.fetch(Reference(path=name))

    assert source.fetch(Reference(path=name)).fields["password"] == VALUE


def test_keys_and_passwords_in_the_environment_are_nobodys_identity(
    cloud_secrets: CloudWorld, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """A pod without a workload identity has none, whatever somebody has put into its environment."""
    cloud_secrets.put(name, document(password=VALUE))
    for variable in cloud_secrets.identity():
        if variable not in {"REQUESTS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"}:
            monkeypatch.setenv(variable, "127.0.0.1:9") if "METADATA" in variable else monkeypatch.delenv(variable)
    for variable, value in {
        "AWS_ACCESS_KEY_ID": "AKIASTATIC",
        "AWS_SECRET_ACCESS_KEY": "static",
        "AZURE_CLIENT_SECRET": "static",
        "GOOGLE_APPLICATION_CREDENTIALS": f"{tmp_path}/key.json",
    }.items():
        monkeypatch.setenv(variable, value)

    with pytest.raises((AccessDeniedError, SourceUnavailableError)):
        cloud_secrets.source.fetch(Reference(path=name))

    assert cloud_secrets.faults.asked == 0


def test_nothing_that_is_secret_is_written_down_by_any_library(
    cloud_secrets: CloudWorld, name: str, written: pytest.LogCaptureFixture
) -> None:
    cloud_secrets.put(name, document(password=VALUE))
    source = cloud_secrets.source
    cloud_secrets.faults.status = 500
    with pytest.raises(SourceUnavailableError):
        source.fetch(Reference(path=name))
    cloud_secrets.faults.status = None
    written.clear()

    secret = source.fetch(Reference(path=name))

    said = f"{written.text}{secret!r}"
    assert [each for each in (VALUE, ASSERTION, *cloud_secrets.issuer.issued) if each in said] == []


def test_a_lease_of_somebody_else_is_lost_here(cloud_secrets: CloudWorld) -> None:
    lease = Lease(id="database/creds/app/1", grant=Grant(ttl=60, renewable=True))
    cloud_secrets.source.revoke(lease)

    with pytest.raises(LeaseLostError):
        cloud_secrets.source.renew(lease, ttl=60)
