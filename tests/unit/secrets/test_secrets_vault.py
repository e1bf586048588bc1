"""How the sidecar speaks to a Vault: who it says it is, what it makes of each answer, and what it never repeats."""

from __future__ import annotations

import base64
import itertools
import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from aeterna.secrets.adapters.vault_aws_identity import signed_identity
from aeterna.secrets.adapters.vault_client import VaultClient
from aeterna.secrets.adapters.vault_login import VaultEntrance
from aeterna.secrets.domain.configuration import AwsLogin, KubernetesLogin, VaultSource, WrappedLogin
from aeterna.secrets.domain.secret import Reference
from aeterna.secrets.errors import (
    AccessDeniedError,
    BadRequestError,
    SecretAbsentError,
    SourceAnswerError,
    SourceError,
    SourceFaultError,
    SourceUnavailableError,
)
from fixtures.tls_database import Authority
from fixtures.vault_server import FakeVault, Trouble
from fixtures.vault_state import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    from aeterna.secrets.adapters.vault_source import VaultSession
    from aeterna.secrets.domain.configuration import VaultLogin

USERS = Reference(path="database/creds/app", engine="dynamic")
KEY = Reference(path="app/api", engine="kv", mount="secret")
CANARY = "canary-5d2e"


@pytest.fixture
def vault() -> Generator[FakeVault]:
    """Return a Vault that lends users and believes one token."""
    with FakeVault() as found:
        found.state.logins[CANARY] = "app"
        found.state.dynamic["database/creds/app"] = Role()
        found.state.kv["", "secret/app/api"] = [{"key": "one"}, {"key": "two"}]
        yield found


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """Return the file of a token that is believed."""
    file = tmp_path / "token"
    file.write_text(CANARY, "utf-8")
    return file


def entrance(
    vault: FakeVault, login: VaultLogin, *, namespace: str | None = None, address: str | None = None
) -> VaultEntrance:
    """Return a way in."""
    source = VaultSource(address=address or vault.url, login=login, namespace=namespace)
    return VaultEntrance(VaultClient(source, timeout=timedelta(seconds=2)), login, signed=signed_identity)


@pytest.fixture
def session(vault: FakeVault, token: Path) -> Generator[VaultSession]:
    """Return a login by the pod's token."""
    found = entrance(vault, KubernetesLogin(role="app", token_file=token)).log_in()
    vault.asked.clear()
    yield found
    vault.unseal()
    vault.denied.clear()
    found.revoke()


def test_a_pod_logs_in_by_its_service_account(vault: FakeVault, token: Path) -> None:
    entrance(vault, KubernetesLogin(role="app", token_file=token, mount="clusters/one")).log_in().revoke()

    assert vault.asked[0].path == "auth/clusters/one/login"
    assert vault.asked[0].body == {"role": "app", "jwt": CANARY}


def test_the_token_is_read_anew_at_each_login(vault: FakeVault, token: Path) -> None:
    """The kubelet replaces it every hour."""
    way = entrance(vault, KubernetesLogin(role="app", token_file=token))
    way.log_in().revoke()
    token.write_text("renewed", "utf-8")
    vault.state.logins = {"renewed": "app"}

    way.log_in().revoke()

    assert vault.asked[-3].body["jwt"] == "renewed"


@pytest.mark.parametrize("content", [None, "", "two\nlines", "umlaut-ä"])
def test_a_file_without_a_token_is_a_login_denied(vault: FakeVault, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "none"
    if content is not None:
        file.write_text(content, "utf-8")

    with pytest.raises(AccessDeniedError):
        entrance(vault, KubernetesLogin(role="app", token_file=file)).log_in()
    assert vault.asked == []


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_role_or_mount_that_there_is_not_is_a_login_denied(vault: FakeVault, token: Path, status: int) -> None:
    vault.seal(status)

    with pytest.raises(AccessDeniedError):
        entrance(vault, KubernetesLogin(role="app", token_file=token)).log_in()


def test_everything_is_asked_in_the_namespace(vault: FakeVault, token: Path) -> None:
    way = entrance(vault, KubernetesLogin(role="app", token_file=token), namespace="team/one")
    way.log_in().revoke()

    assert {asked.namespace for asked in vault.asked} == {"team/one"}


def test_nothing_of_the_environment_proves_anything(
    vault: FakeVault, token: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n", "utf-8")
    for name, value in {"VAULT_TOKEN": "theirs", "VAULT_ADDR": "http://127.0.0.1:1", "NETRC": str(netrc)}.items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    entrance(vault, KubernetesLogin(role="app", token_file=token)).log_in().revoke()

    assert "X-Vault-Token" not in vault.asked[0].headers
    assert not [asked for asked in vault.asked if "Authorization" in asked.headers]


@pytest.fixture
def aws_pod(pod_identity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make this process a pod with a role, in an image that somebody put keys into; return the file of its token."""
    proof = tmp_path / "pod-token"
    proof.write_text("the-pods-own-token", "utf-8")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", pod_identity)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(proof))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDSTATIC")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-static-key")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_ROLE_ARN", raising=False)
    return proof


def test_a_pod_logs_in_by_its_aws_identity(vault: FakeVault, aws_pod: Path) -> None:
    """Vault passes the signed question on, and AWS answers it only if the signature is the identity's."""
    del aws_pod
    vault.signed = lambda body: signed_by(Credentials("ASIATEST", "s", "t"), body)
    login = AwsLogin(role="app", region="eu-central-1", server_id="vault.example")

    entrance(vault, login).log_in().revoke()

    body = vault.asked[0].body
    assert base64.b64decode(body["iam_request_url"]) == b"https://sts.eu-central-1.amazonaws.com/"
    assert headers_of(body)["X-Vault-AWS-IAM-Server-ID"] == "vault.example"
    assert headers_of(body)["X-Amz-Security-Token"] == "t"


def test_keys_that_lie_in_the_environment_are_no_identity(
    vault: FakeVault, aws_pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del aws_pod
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")

    with pytest.raises(AccessDeniedError):
        entrance(vault, AwsLogin(role="app")).log_in()
    assert vault.asked == []


def test_a_pod_whose_role_cannot_be_had_has_no_login(vault: FakeVault, aws_pod: Path) -> None:
    aws_pod.unlink()

    with pytest.raises(AccessDeniedError):
        entrance(vault, AwsLogin(role="app")).log_in()


def signed_by(keys: Credentials, body: Mapping[str, str]) -> bool:
    """Sign the question again as AWS does, and say whether that is the signature."""
    headers = headers_of(body)
    at = datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    given = headers.pop("Authorization")
    region = given.split("/")[2]
    # botocore says nothing of its types.
    request: Any = AWSRequest(
        method="POST",
        url=base64.b64decode(body["iam_request_url"]).decode(),
        data=base64.b64decode(body["iam_request_body"]),
        headers={name: value for name, value in headers.items() if name != "X-Amz-Date"},
    )
    request.headers["X-Amz-Date"] = headers["X-Amz-Date"]
    request.context["timestamp"] = headers["X-Amz-Date"]
    signer: Any = SigV4Auth(keys, "sts", region)
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    return given.endswith(f"Signature={signature}") and datetime.now(UTC) - at < timedelta(minutes=5)


def headers_of(body: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of the signed question."""
    found: dict[str, list[str]] = json.loads(base64.b64decode(body["iam_request_headers"]))
    return {name: values[0] for name, values in found.items()}


def wrapped(vault: FakeVault, path: str) -> str:
    """Return a token that unwraps a login once."""
    return vault.state.wrap(path, {"auth": vault.state.log_in("app", "")})


def test_a_wrapped_token_is_unwrapped_once(vault: FakeVault, token: Path) -> None:
    token.write_text(wrapped(vault, "auth/token/create"), "utf-8")
    way = entrance(vault, WrappedLogin(token_file=token))
    way.log_in().revoke()

    with pytest.raises(AccessDeniedError):
        way.log_in()
    assert vault.count("sys/wrapping/unwrap") == 1


def test_a_new_wrapped_token_in_the_file_is_a_new_login(vault: FakeVault, token: Path) -> None:
    way = entrance(vault, WrappedLogin(token_file=token))
    for _ in range(2):
        token.write_text(wrapped(vault, "auth/token/create"), "utf-8")
        way.log_in().revoke()

    assert vault.count("sys/wrapping/unwrap") == 2


def test_a_token_that_somebody_intercepted_and_wrapped_again_is_not_unwrapped(vault: FakeVault, token: Path) -> None:
    token.write_text(wrapped(vault, "sys/wrapping/wrap"), "utf-8")

    with pytest.raises(AccessDeniedError):
        entrance(vault, WrappedLogin(token_file=token)).log_in()
    assert vault.count("sys/wrapping/unwrap") == 0


def test_a_token_that_somebody_unwrapped_before_is_a_login_denied(vault: FakeVault, token: Path) -> None:
    token.write_text("hvs.spent", "utf-8")

    with pytest.raises(AccessDeniedError):
        entrance(vault, WrappedLogin(token_file=token)).log_in()


def test_a_version_can_be_asked_for(session: VaultSession) -> None:
    old = session.source.fetch(Reference(path="app/api", engine="kv", mount="secret", version="1"))

    assert old.fields["key"] == "one"


def test_what_is_no_lease_is_of_another_version_when_it_changed(vault: FakeVault, session: VaultSession) -> None:
    """As with a static role of the database, whose password Vault changes from time to time."""
    vault.state.plain["database/static-creds/app"] = {"password": CANARY}
    static = Reference(path="database/static-creds/app", engine="dynamic")
    first, again = session.source.fetch(static), session.source.fetch(static)
    vault.state.plain["database/static-creds/app"] = {"password": "other"}

    assert first.version == again.version != session.source.fetch(static).version
    assert first.lease is None
    assert CANARY not in first.version


def test_a_batch_login_gives_its_leases_back_one_by_one(vault: FakeVault, token: Path) -> None:
    vault.state.login_role = Role(batch=True, renewable=False)
    session = entrance(vault, KubernetesLogin(role="app", token_file=token)).log_in()
    session.source.fetch(USERS)
    session.source.fetch(USERS)

    session.revoke()

    assert vault.state.leases == {}
    assert session.grant is not None
    assert not session.grant.renewable


def test_a_login_that_may_not_look_itself_up_is_not_taken_for_lost(vault: FakeVault, token: Path) -> None:
    vault.denied.add("auth/token/lookup-self")
    session = entrance(vault, KubernetesLogin(role="app", token_file=token)).log_in()

    assert session.alive()


def test_a_login_that_a_node_did_not_know_at_first_is_found_lost_when_it_is(vault: FakeVault, token: Path) -> None:
    """A standby that serves reads may be behind the node that logged in."""
    vault.denied.add("auth/token/lookup-self")
    session = entrance(vault, KubernetesLogin(role="app", token_file=token)).log_in()
    vault.denied.clear()
    first = session.alive()
    vault.state.revoke_token(vault.asked[-1].headers["X-Vault-Token"])

    assert (first, session.alive()) == (True, False)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequestError),
        (401, AccessDeniedError),
        (403, AccessDeniedError),
        (404, SecretAbsentError),
        (405, SourceAnswerError),
        (412, SourceUnavailableError),
        (429, SourceUnavailableError),
        (472, SourceUnavailableError),
        (473, SourceUnavailableError),
        (500, SourceFaultError),
        (501, SourceUnavailableError),
        (502, SourceUnavailableError),
        (503, SourceUnavailableError),
        (504, SourceUnavailableError),
        (507, SourceFaultError),
    ],
)
def test_each_status_is_the_error_that_it_means_and_repeats_nothing(
    vault: FakeVault, session: VaultSession, status: int, error: type[SourceError]
) -> None:
    """The server repeats token and body in its errors, as some do; nobody else repeats them."""
    vault.seal(status)

    with pytest.raises(error) as raised:
        session.source.fetch(KEY)
    assert type(raised.value) is error
    assert vault.asked[-1].headers["X-Vault-Token"] not in repr(raised.value)
    assert raised.value.__context__ is None or raised.value.__suppress_context__


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/plain", ""])
def test_nothing_is_absent_because_a_proxy_says_so(vault: FakeVault, session: VaultSession, kind: str) -> None:
    """What is absent is taken away from the application; a proxy without a way to Vault says 404 too."""
    vault.seal(404, **{"Content-Type": kind})

    with pytest.raises(SourceUnavailableError):
        session.source.fetch(KEY)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("99999", 600.0), ("soon", None), ("-1", None), (None, None)],
)
def test_a_source_says_how_long_to_wait(
    vault: FakeVault, session: VaultSession, header: str | None, seconds: float | None
) -> None:
    vault.seal(429, **({"Retry-After": header} if header is not None else {}))

    with pytest.raises(SourceUnavailableError) as raised:
        session.source.fetch(KEY)
    assert raised.value.retry_after == seconds


def test_a_source_says_until_when_to_wait(vault: FakeVault, session: VaultSession) -> None:
    until = datetime.now(UTC) + timedelta(seconds=90)
    vault.seal(503, **{"Retry-After": format_datetime(until, usegmt=True)})

    with pytest.raises(SourceUnavailableError) as raised:
        session.source.fetch(KEY)
    assert raised.value.retry_after is not None
    assert 0 < raised.value.retry_after <= 90


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        b"[" * 100_000,
        b'{"data": {"key": ' + b"9" * 5000 + b"}}",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"lease_id": "a", "data": {}}',
        b'{"lease_id": "a", "lease_duration": 0, "data": {}}',
        b'{"lease_id": "a", "lease_duration": -5, "data": {}}',
        b'{"lease_id": "a", "lease_duration": "long", "data": {}}',
        b'{"lease_id": "a", "lease_duration": true, "data": {}}',
    ],
    ids=itertools.count(),
)
def test_what_is_no_answer_of_a_vault_is_told_as_that(vault: FakeVault, session: VaultSession, body: bytes) -> None:
    vault.troubles.append(Trouble(status=200, body=body))

    with pytest.raises(SourceAnswerError):
        session.source.fetch(USERS)


def test_an_answer_without_an_end_is_not_read_to_it(vault: FakeVault, session: VaultSession) -> None:
    vault.troubles.append(Trouble(status=200, body=b'{"data": {"key": "' + b"x" * 5_000_000 + b'"}}'))

    with pytest.raises(SourceAnswerError, match="larger than"):
        session.source.fetch(USERS)


def test_an_answer_that_is_lost_is_a_source_out_of_reach(vault: FakeVault, session: VaultSession) -> None:
    vault.troubles.append(Trouble(path="database", lost=True))

    with pytest.raises(SourceUnavailableError):
        session.source.fetch(USERS)
    assert len(vault.state.leases) == 1


def test_an_answer_that_comes_too_late_is_a_source_out_of_reach(vault: FakeVault, session: VaultSession) -> None:
    vault.troubles.append(Trouble(path="database", until=threading.Event()))

    with pytest.raises(SourceUnavailableError):
        session.source.fetch(USERS)
    assert vault.troubles[0].until is not None
    vault.troubles[0].until.set()


def test_nobody_there_is_a_source_out_of_reach(vault: FakeVault, token: Path) -> None:
    way = entrance(vault, KubernetesLogin(role="app", token_file=token), address="http://127.0.0.1:1")

    with pytest.raises(SourceUnavailableError):
        way.log_in()


def test_a_standby_leads_to_the_active_one_of_the_same_host(vault: FakeVault, session: VaultSession) -> None:
    active = {"Location": f"{vault.url}/v1/secret/data/app/api"}
    vault.troubles.append(Trouble(path="secret", status=307, headers=active, times=1))

    assert session.source.fetch(KEY).fields["key"] == "two"


@pytest.mark.parametrize("location", ["http://elsewhere.example/v1/x", "ftp://127.0.0.1/x", "//127.0.0.1:1/x", ""])
def test_nobody_leads_the_token_to_an_address_without_tls(
    vault: FakeVault, session: VaultSession, location: str
) -> None:
    vault.troubles.append(Trouble(path="secret", status=307, headers={"Location": location}))

    with pytest.raises(SourceUnavailableError):
        session.source.fetch(KEY)


def test_standbys_that_lead_to_each_other_are_followed_once(vault: FakeVault, session: VaultSession) -> None:
    around = {"Location": f"{vault.url}/v1/secret/data/app/api"}
    vault.troubles.append(Trouble(path="secret", status=307, headers=around))

    with pytest.raises(SourceAnswerError):
        session.source.fetch(KEY)
    assert vault.count("secret") == 2


def test_a_failure_keeps_no_token_in_its_traceback(vault: FakeVault, session: VaultSession) -> None:
    """What requests raises has the request, and with it the token."""
    failing: list[Callable[[], object]] = [lambda: session.source.fetch(KEY), session.alive]
    vault.troubles.append(Trouble(lost=True))

    for call in failing:
        with pytest.raises(SourceUnavailableError) as raised:
            call()
        assert raised.value.__suppress_context__
        assert raised.value.__cause__ is None


def test_a_static_role_is_the_same_until_its_rotation_and_tells_when_that_is(
    vault: FakeVault, session: VaultSession
) -> None:
    """Vault counts down to the rotation in a field beside the password, which is another one at each look."""
    reference = Reference(path="database/static-creds/app", engine="dynamic")
    answer = {"username": "app", "password": CANARY, "last_vault_rotation": "t1", "rotation_period": 3600}
    vault.state.plain[reference.path] = answer | {"ttl": 3000}
    first = session.source.fetch(reference)
    vault.state.plain[reference.path] = answer | {"ttl": 2940}

    second = session.source.fetch(reference)

    assert first.version == second.version
    assert (first.rotates_in, second.rotates_in) == (3000, 2940)
    assert "ttl" not in second.fields


def test_a_vault_is_who_the_authority_of_its_source_says(tmp_path: Path, token: Path) -> None:
    ours, theirs = Authority.make(tmp_path / "ours.pem"), Authority.make(tmp_path / "theirs.pem")
    login = KubernetesLogin(role="app", token_file=token)
    with FakeVault(tls=ours.server("localhost")) as vault:
        vault.state.logins[CANARY] = "app"
        address = vault.url.replace("http://127.0.0.1", "https://localhost")

        def way(ca_file: Path | None) -> VaultEntrance:
            source = VaultSource(address=address, login=login, ca_file=ca_file)
            return VaultEntrance(VaultClient(source, timeout=timedelta(seconds=2)), login, signed=signed_identity)

        way(ours.file).log_in().revoke()
        asked = len(vault.asked)
        for stranger in (theirs.file, None, tmp_path / "none.pem"):
            with pytest.raises(SourceUnavailableError):
                way(stranger).log_in()

    assert len(vault.asked) == asked
