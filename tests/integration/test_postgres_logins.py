"""Logins by what the cloud vouches for: a real PostgreSQL, whose password is the token that the cloud last gave."""

from __future__ import annotations

import hashlib
import hmac
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from aeterna.identity.login import Provider, Token, TokenLogin
from aeterna.policies.adapters.postgres.database import DATABASE
from aeterna.policies.adapters.postgres.transactions import Transactions
from aeterna.policies.adapters.postgres.versions import PostgresVersions
from aeterna.policies.errors import DatabaseUnreachableError, LoginFailedError, StoreBusyError
from aeterna.policies.main import main as policies_main
from aeterna.policies.settings import DatabaseSettings
from aeterna.postgres.address import Address, secured
from aeterna.postgres.fitness import require_schema
from aeterna.postgres.pool import Limits, connection_pool
from aeterna.threads.main import main as threads_main
from fixtures.fix_live_runtime import wait_until
from fixtures.tls_database import Authority, served
from fixtures.token_issuers import ROLE, Issuer, running

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Generator

    from aeterna.service.testing import SigningKey
    from fixtures.fix_postgres import Postgres
    from fixtures.fix_threads import ServiceProcess

LOGIN = "cloud_login"
CANARY = "the-pods-own-token-canary"
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:administrator-Ab12Cd"


@pytest.fixture(scope="session")
def cloud_login(postgres: Postgres) -> str:
    """Return a login that must show a password, in clear inside TLS as RDS and Azure ask for it."""
    postgres.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN").format(sql.Identifier(LOGIN)))
    with psycopg.connect(postgres.dsn(), autocommit=True) as administrator:
        (rules,) = administrator.execute("SHOW hba_file").fetchone() or ("",)
        file = Path(rules)
        file.write_text(f"local all {LOGIN} password\n" + file.read_text("utf-8"), "utf-8")
        administrator.execute("SELECT pg_reload_conf()")
    wait_until(lambda: not _lets_in(postgres.dsn("postgres", LOGIN)))
    return LOGIN


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return the authority that the client believes."""
    return Authority.make(tmp_path / "authority.pem")


@pytest.fixture
def accept(postgres: Postgres, cloud_login: str) -> Callable[[str], None]:
    """Return what makes a token the one that the database takes."""

    def make_password(token: str) -> None:
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(cloud_login), sql.Literal(token))
        with psycopg.connect(postgres.dsn()) as administrator:
            administrator.execute("SET password_encryption = 'scram-sha-256'")
            administrator.execute(statement)

    return make_password


@pytest.fixture
def trusted(policy_socket: Path, signing_key: SigningKey, tmp_path: Path) -> dict[str, str]:
    """Return whom a service trusts and asks."""
    return {
        "ISSUER": signing_key.issuer,
        "JWKS": str(signing_key.write_jwks(tmp_path / "jwks.json")),
        "POLICY_URL": f"unix:{policy_socket}",
    }


class Given:
    """A source that gives what a test says."""

    provider: Provider = "gcp"

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)

    def fetch(self) -> Token:
        """Give the next token."""
        return Token(value=self.tokens.pop(0), expires_at=time.time() + 3600)


@contextmanager
def over_tls(dsn: str, tls: ssl.SSLContext | None, user: str = LOGIN) -> Generator[str]:
    """Return how the database is reached through a server that shows this certificate."""
    given = conninfo_to_dict(dsn)
    with served(Path(f"{given['host']}/.s.PGSQL.{given['port']}"), tls) as port:
        yield make_conninfo(host="localhost", port=port, dbname=given["dbname"], user=user, gssencmode="disable")


def test_a_server_that_proves_its_name_is_believed(
    policies_database: str, authority: Authority, accept: Callable[[str], None]
) -> None:
    accept("the-token")
    with over_tls(policies_database, authority.server("localhost")) as dsn:
        verified = secured(dsn, "gcp", authority.file, DATABASE.errors)

        require_schema(Address(verified, _kept(Given("the-token"))), Limits(), DATABASE)


@pytest.mark.parametrize("name", ["another host", "another authority", "no TLS"])
def test_a_server_that_does_not_prove_its_name_gets_no_token(
    policies_database: str, authority: Authority, accept: Callable[[str], None], tmp_path: Path, name: str
) -> None:
    """The database behind it would take the token: it is our side that does not show it."""
    accept("the-token")
    shown = {
        "another host": authority.server("elsewhere"),
        "another authority": Authority.make(tmp_path / "stranger.pem").server("localhost"),
        "no TLS": None,
    }[name]
    with over_tls(policies_database, shown) as dsn:
        verified = secured(dsn, "gcp", authority.file, DATABASE.errors)

        with pytest.raises(DatabaseUnreachableError):
            require_schema(Address(verified, _kept(Given("the-token"))), Limits(), DATABASE)


@pytest.mark.parametrize(
    ("provider", "module"), [("gcp", "aeterna.threads"), ("azure", "aeterna.policies")], ids=["gcp", "azure"]
)
def test_a_service_migrates_checks_listens_and_serves_with_tokens_and_survives_their_rotation(
    provider: str,
    module: str,
    empty_database: str,
    authority: Authority,
    accept: Callable[[str], None],
    start_service: Callable[..., ServiceProcess],
    trusted: dict[str, str],
) -> None:
    """And nothing of a token is in what it says, which is everything, since it debugs."""
    issuer = Issuer(assertion=CANARY, on_issue=accept)
    tls = authority.server("localhost")
    with running(issuer, tls if provider == "azure" else None), over_tls(empty_database, tls) as dsn:
        prefix = f"{module.upper().replace('.', '_')}_"
        settings = {
            "PORT": "0",
            "DSN": dsn,
            "DSN_LOGIN": provider,
            "DSN_CA_FILE": str(authority.file),
            "MIGRATE": "true",
            "LOG_LEVEL": "debug",
            **trusted,
        }
        named = {prefix + name: value for name, value in settings.items()}
        process = start_service(module, named | pod_of(provider, issuer, authority))
        wait_until(lambda: httpx.get(f"{process.url}/ready", trust_env=False).status_code == 200)
        issuer.rotate()
        accept("revoked")
        with psycopg.connect(empty_database, autocommit=True) as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [LOGIN]
            ).fetchall()

        wait_until(
            lambda: httpx.get(f"{process.url}/ready", trust_env=False).status_code == 200 and len(issuer.issued) == 2
        )

        process.terminate()
    said = "".join(process.log)
    assert [secret for secret in (CANARY, *issuer.issued) if secret in said] == []


def test_a_login_without_a_token_is_told_by_its_code_and_without_what_the_issuer_said(
    policies_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Issuers repeat what they were sent."""
    caplog.set_level("DEBUG")
    issuer = Issuer(assertion=CANARY, out_of_order=True)
    with running(issuer):
        address = aws_address(policies_database, issuer, tmp_path, monkeypatch)

        with pytest.raises(LoginFailedError) as refused:
            require_schema(address, Limits(), DATABASE)

    assert refused.value.reason == "InvalidIdentityToken"
    assert issuer.asked
    assert CANARY not in f"{refused.value}{refused.value.__cause__!r}{caplog.text}"


@pytest.mark.anyio
async def test_a_pool_of_rds_shows_what_iam_would_believe(
    policies_database: str,
    authority: Authority,
    accept: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The keys come from STS for the pod's own token; the signature is checked as AWS documents it."""
    issuer = Issuer(assertion=CANARY)
    with running(issuer), over_tls(policies_database, authority.server("localhost")) as dsn:
        address = aws_address(dsn, issuer, tmp_path, monkeypatch, authority.file)
        token = str(conninfo_to_dict(address.conninfo_now())["password"])
        accept(token)

        async with connection_pool(address, Limits(), DATABASE.names) as pool, pool.connection() as connection:
            found = await (await connection.execute("SELECT session_user AS login")).fetchone()

    port = conninfo_to_dict(dsn)["port"]
    assert found == {"login": LOGIN}
    assert_signed(token, f"localhost:{port}", session=issuer.issued[0])
    assert len(issuer.issued) == 1


@pytest.mark.parametrize(
    ("program", "main"), [("THREADS", threads_main), ("POLICIES", policies_main)], ids=["threads", "policies"]
)
def test_whoever_migrates_on_aws_logs_in_by_the_password_that_secrets_manager_keeps(
    program: str,
    main: Callable[[list[str]], object],
    empty_database: str,
    authority: Authority,
    accept: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The administrator of RDS is no user of IAM: what is signed for it is refused."""
    accept("kept-password")
    issuer = Issuer(assertion=CANARY, password="kept-password")
    with running(issuer), over_tls(empty_database, authority.server("localhost")) as dsn:
        be_a_pod_of_aws(issuer, tmp_path, monkeypatch)
        told = {"DSN": dsn, "DSN_LOGIN": "aws", "DSN_CA_FILE": str(authority.file), "MIGRATE_SECRET_ARN": SECRET}
        for name, value in told.items():
            monkeypatch.setenv(f"AETERNA_{program}_{name}", value)

        main(["migrate"])

    said = capsys.readouterr()
    assert said.out.startswith(f"aeterna-{program.lower()}: schema none -> ")
    assert "kept-password" not in said.out + said.err


@pytest.mark.anyio
async def test_without_a_token_a_caller_is_told_so_and_served_as_soon_as_there_is_one(
    policies_database: str,
    authority: Authority,
    accept: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issuer = Issuer(assertion=CANARY, out_of_order=True)
    with running(issuer), over_tls(policies_database, authority.server("localhost")) as dsn:
        address = aws_address(dsn, issuer, tmp_path, monkeypatch, authority.file)
        limits = Limits(min_connections=1, acquire=timedelta(milliseconds=200))
        async with connection_pool(address, limits, DATABASE.names) as pool:
            versions = PostgresVersions(Transactions(pool), platform="platform")
            with pytest.raises(LoginFailedError, match="gets no token for its database from aws"):
                await patiently(versions)

            issuer.out_of_order = False
            while not issuer.issued:
                with suppress(psycopg.OperationalError):
                    accept(str(conninfo_to_dict(await address.conninfo())["password"]))

            assert await patiently(versions) == 0


async def patiently(versions: PostgresVersions) -> int:
    """Ask until the pool has a connection or knows why it has none."""
    while True:
        with suppress(StoreBusyError):
            return await versions.deployed_number()


def pod_of(provider: str, issuer: Issuer, authority: Authority) -> dict[str, str]:
    """Return what the platform puts into a pod's environment."""
    folder = authority.file.parent
    assertion = folder / "assertion"
    assertion.write_text(issuer.assertion)
    if provider == "gcp":
        host = issuer.url.removeprefix("http://")
        return {"GCE_METADATA_HOST": host, "GCE_METADATA_IP": host, "HOME": str(folder)}
    return {
        "AZURE_AUTHORITY_HOST": issuer.url,
        "AZURE_TENANT_ID": "7f3c1d52-0000-4000-8000-000000000000",
        "AZURE_CLIENT_ID": "11111111-0000-4000-8000-000000000000",
        "AZURE_FEDERATED_TOKEN_FILE": str(assertion),
        "REQUESTS_CA_BUNDLE": str(authority.file),
    }


def aws_address(
    dsn: str, issuer: Issuer, folder: Path, monkeypatch: pytest.MonkeyPatch, ca_file: Path | None = None
) -> Address:
    """Return the address of a database whose login is the role of a pod (IRSA)."""
    be_a_pod_of_aws(issuer, folder, monkeypatch)
    settings = DatabaseSettings(dsn=SecretStr(make_conninfo(dsn, user=LOGIN)), dsn_login="aws", dsn_ca_file=ca_file)
    return Address.of(settings, DATABASE.errors)


def be_a_pod_of_aws(issuer: Issuer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what EKS puts into a pod's environment, and nothing of the machine's own."""
    assertion = folder / "assertion"
    assertion.write_text(issuer.assertion)
    pod = {
        "AWS_ROLE_ARN": ROLE,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(assertion),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_STS": issuer.url,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": issuer.url,
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
    }
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in pod.items():
        monkeypatch.setenv(name, value)


def assert_signed(token: str, host: str, *, session: str) -> None:
    """Check a signature (version 4, in the query) for ``rds-db`` from its specification alone."""
    place, _, query = token.partition("/?")
    fields = dict(parse_qsl(query))
    signature = fields.pop("X-Amz-Signature")
    assert (place, fields["Action"], fields["DBUser"], fields["X-Amz-Expires"]) == (host, "connect", LOGIN, "900")
    assert fields["X-Amz-Security-Token"] == session
    day, region, service, end = fields["X-Amz-Credential"].split("/")[1:]
    assert (region, service, end) == ("eu-central-1", "rds-db", "aws4_request")
    canonical = urlencode(sorted(fields.items()), quote_via=quote, safe="-_.~")
    request = f"GET\n/\n{canonical}\nhost:{host}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{fields['X-Amz-Date']}\n{day}/{region}/{service}/{end}\n{digest}"
    key = b"AWS4aws-secret"
    for part in (day, region, service, end, text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert key.hex() == signature


def _kept(source: Given) -> TokenLogin:
    return TokenLogin(source, clock=time.time, random=lambda: 0.5)


def _lets_in(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, passfile="/dev/null").close()
    except psycopg.OperationalError:
        return False
    return True
