"""Runs the services together from their images: unprivileged, on a root that cannot be written."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from aeterna.policy.settings import SHIPPED
from fixtures.container_images import ROOT, SERVICES, Image, Service
from fixtures.container_process import Container, lent_socket

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path

    from aeterna.service.testing import SigningKey
    from fixtures.fix_postgres import Postgres

pytestmark = [
    pytest.mark.needs("buildah", "debootstrap"),
    pytest.mark.timeout(1800),
    pytest.mark.slow,
]

THREADS = "/api/v1/threads"
# Keys of the environment sign without asking anybody; what STS and Secrets Manager are asked with is made and not sent.
SIGN = """
import time, botocore.session
from aeterna.postgres.login_aws import rds_tokens
print(rds_tokens("db.abc.eu-central-1.rds.amazonaws.com", 5432, "ada", time.time).fetch().value)
for service in ("sts", "secretsmanager"):
    botocore.session.get_session().create_client(service, region_name="eu-central-1")
import aeterna.identity.gcp, aeterna.identity.azure
"""

each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


@each_service
def test_nothing_of_the_image_can_be_written_by_its_process(
    service: Service, image_of: Callable[[str], Image], opened: Callable[[str], Path]
) -> None:
    container = Container(image_of(service.name), opened(service.name), {})

    tried = container.run("python", "-c", "open('/opt/venv/pyvenv.cfg', 'a')")

    assert "Read-only file system" in tried.stderr or "Permission denied" in tried.stderr


@each_service
def test_a_missing_setting_is_one_line_and_a_failure(
    service: Service, image_of: Callable[[str], Image], opened: Callable[[str], Path]
) -> None:
    container = Container(image_of(service.name), opened(service.name), {})
    prefix = service.module.replace(".", "_").upper()

    refused = container.run(*image_of(service.name).config["Entrypoint"], environment={f"{prefix}_PORT": "none"})

    assert refused.returncode == 1
    assert f"{prefix}_PORT" in refused.stderr
    assert "Traceback" not in refused.stderr


class Deployment:
    """The services, each from its image, with what each of them has to be given."""

    def __init__(self, image_of: Callable[[str], Image], opened: Callable[[str], Path], trust: Path) -> None:
        self._image_of = image_of
        self._opened = opened
        self._trust = trust
        self._stack = ExitStack()
        self.containers: dict[str, Container] = {}
        self.addresses: dict[str, str] = {}
        self.volumes: dict[str, Path] = {}
        """Where the one writable folder of a service is outside, of those that have one."""

    def start(self, service: Service, settings: Mapping[str, str], volumes: Mapping[Path, str]) -> None:
        """Start one service on a free port of the loopback."""
        image = self._image_of(service.name)
        container = Container(image, self._opened(service.name), {self._trust: "/run/trust", **volumes})
        prefix = service.module.replace(".", "_").upper()
        given = {"HOST": "127.0.0.1", "PORT": "0", **settings}
        environment = {f"{prefix}_{name}": value for name, value in given.items()}
        self.addresses[service.name] = self._stack.enter_context(container.serving(environment))
        self.containers[service.name] = container
        if "/var/lib/aeterna" in volumes.values():
            self.volumes[service.name] = next(iter(volumes))

    def stop(self) -> None:
        """Stop the services, the last one first; each has to end well."""
        self._stack.close()


@pytest.fixture(scope="module")
def deployment(
    image_of: Callable[[str], Image],
    opened: Callable[[str], Path],
    signing_key: SigningKey,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[Deployment]:
    """Return the running services; the policy is asked by the two others, and the threads are in a real PostgreSQL."""
    trust, warehouse, kept = (tmp_path_factory.mktemp(name) for name in ("trust", "warehouse", "kept"))
    signing_key.write_jwks(trust / "jwks.json")
    for folder in (trust, warehouse, kept):
        folder.chmod(0o777)
    (trust / "jwks.json").chmod(0o644)
    policy, threads, api, policies = SERVICES
    deployed = Deployment(image_of, opened, trust)
    try:
        deployed.start(policy, {}, {kept: "/var/lib/aeterna"})
        trusted = {
            "ISSUER": signing_key.issuer,
            "JWKS": "/run/trust/jwks.json",
            "POLICY_URL": deployed.addresses[policy.name],
        }
        for service in (threads, policies):
            database = postgres.dsn(postgres.create())
            dsn = make_conninfo(database, host="/run/postgresql")
            sockets = lent_socket(database, tmp_path_factory.mktemp("postgresql"))
            deployed.start(service, {**trusted, "DSN": dsn, "MIGRATE": "true"}, {sockets: "/run/postgresql"})
        deployed.start(api, trusted, {warehouse: "/var/lib/aeterna"})
        yield deployed
    finally:
        deployed.stop()


@each_service
def test_a_container_is_alive_and_ready(service: Service, deployment: Deployment) -> None:
    """Ready means more than running: the policy answers, the database has its schema, the warehouse can be written."""
    answers = {
        path: httpx.get(deployment.addresses[service.name] + path, trust_env=False).status_code
        for path in ("/live", "/ready", "/health")
    }

    assert answers == {"/live": 200, "/ready": 200, "/health": 200}


@each_service
def test_the_health_check_of_the_file_finds_the_container_alive(service: Service, deployment: Deployment) -> None:
    port = deployment.addresses[service.name].rsplit(":", 1)[-1]
    check = [word.replace(str(service.port), port) for word in health_check(service)]

    healthy = deployment.containers[service.name].run(*check)
    sick = deployment.containers[service.name].run(*(word.replace(port, "9") for word in check))

    assert healthy.returncode == 0, healthy.stderr
    assert sick.returncode != 0


def test_a_session_that_the_policy_permits_is_committed_from_container_to_container(
    deployment: Deployment, signing_key: SigningKey
) -> None:
    address = deployment.addresses["aeterna-api"] + "/api/v1/graph/sessions"
    node = {"id": "svc:checkout", "kind": "Service", "properties": {"owner": "payments"}}
    session = {"session_id": "s-1", "nodes": [node], "edges": []}

    with httpx.Client(trust_env=False, timeout=60) as client:
        status = {
            role: client.post(
                address, json=session, headers={"Authorization": f"Bearer {signing_key.token(roles=[role])}"}
            ).status_code
            for role in ("reader", "writer")
        }

    assert status == {"reader": 403, "writer": 201}


def test_an_opposing_permit_is_refused_by_the_solver_in_its_container(
    deployment: Deployment, signing_key: SigningKey
) -> None:
    """z3 is in the image without what its wheel holds twice, and analyses in a process of its own."""
    opposing = '@id("anybody-anywhere")\npermit (principal, action, resource);\n'
    proposal = {
        "request_id": "container-1",
        "base": 0,
        "message": "let everybody in",
        "files": {path.name: path.read_text() for path in SHIPPED.iterdir() if path.is_file()}
        | {"more.cedar": opposing + '@id("never")\nforbid (principal, action, resource);\n'},
    }
    token = signing_key.token(tenant="platform", roles=["admin"])

    refused = httpx.post(
        deployment.addresses["aeterna-policies"] + "/api/v1/policies/versions",
        json=proposal,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=60,
    )

    assert refused.status_code == 422, refused.text
    assert "anybody-anywhere" in refused.text


def test_the_policy_is_kept_in_its_volume(deployment: Deployment) -> None:
    """What the next start needs when there is no control plane; nobody else may read it."""
    volume = deployment.volumes["aeterna-policy"]

    kept = {path.relative_to(volume).parts[0]: path.stat().st_mode & 0o077 for path in volume.rglob("*")}

    assert kept.keys() >= {"published.json", "bundles"}
    assert set(kept.values()) == {0}


def test_without_a_volume_the_policy_decides_from_memory(
    image_of: Callable[[str], Image], opened: Callable[[str], Path]
) -> None:
    container = Container(image_of("aeterna-policy"), opened("aeterna-policy"), {})

    with container.serving({"AETERNA_POLICY_PORT": "0"}) as address:
        ready = httpx.get(f"{address}/ready", trust_env=False)

    assert ready.status_code == 200


@pytest.fixture
def store(
    image_of: Callable[[str], Image],
    opened: Callable[[str], Path],
    postgres: Postgres,
    signing_key: SigningKey,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Container, dict[str, str]]:
    """Return a container beside a database without a schema, and its environment but for the policy."""
    trust = tmp_path_factory.mktemp("trust")
    trust.chmod(0o755)
    signing_key.write_jwks(trust / "jwks.json").chmod(0o644)
    database = postgres.dsn(postgres.create())
    sockets = lent_socket(database, tmp_path_factory.mktemp("postgresql"))
    volumes = {trust: "/run/trust", sockets: "/run/postgresql"}
    environment = {
        "AETERNA_THREADS_DSN": make_conninfo(database, host="/run/postgresql"),
        "AETERNA_THREADS_HOST": "127.0.0.1",
        "AETERNA_THREADS_PORT": "0",
        "AETERNA_THREADS_ISSUER": signing_key.issuer,
        "AETERNA_THREADS_JWKS": "/run/trust/jwks.json",
        "AETERNA_THREADS_DRAIN_TIMEOUT": "5",
    }
    return Container(image_of("aeterna-threads"), opened("aeterna-threads"), volumes), environment


def test_the_jobs_of_the_store_run_from_its_image(
    store: tuple[Container, dict[str, str]], image_of: Callable[[str], Image]
) -> None:
    """As a Job and a CronJob run them: the same image, another argument, and nothing but the database."""
    container, environment = store
    entry = image_of("aeterna-threads").config["Entrypoint"]
    needed = {"AETERNA_THREADS_DSN": environment["AETERNA_THREADS_DSN"]}

    migrated = container.run(*entry, "migrate", environment=needed)
    cleaned = container.run(*entry, "cleanup", environment=needed)

    assert migrated.returncode == 0, migrated.stderr
    assert migrated.stdout.startswith("aeterna-threads: schema none -> ")
    assert cleaned.returncode == 0, cleaned.stderr
    assert json.loads(cleaned.stdout)["alone"] is True


@pytest.mark.parametrize("name", ["aeterna-threads", "aeterna-policies"])
def test_what_the_image_leaves_out_of_botocore_is_not_missed(
    name: str, image_of: Callable[[str], Image], opened: Callable[[str], Path]
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "secret"}

    signed = Container(image_of(name), opened(name), {}).run("python", "-P", "-c", SIGN, environment=keys)

    assert signed.returncode == 0, signed.stderr
    assert signed.stdout.startswith("db.abc.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=ada&")
    assert "eu-central-1%2Frds-db%2Faws4_request" in signed.stdout


def test_a_stream_of_a_container_that_stops_goes_on_in_another_one(
    store: tuple[Container, dict[str, str]],
    image_of: Callable[[str], Image],
    opened: Callable[[str], Path],
    signing_key: SigningKey,
) -> None:
    """Nothing is missed and nothing comes twice: the client names the last event it saw, wherever it comes back."""
    container, environment = store
    token = {"Authorization": f"Bearer {signing_key.token()}"}
    policy = Container(image_of("aeterna-policy"), opened("aeterna-policy"), {})
    with policy.serving({"AETERNA_POLICY_PORT": "0"}) as asked, httpx.Client(headers=token, trust_env=False) as client:
        whole = environment | {"AETERNA_THREADS_POLICY_URL": asked, "AETERNA_THREADS_MIGRATE": "true"}
        with container.serving(whole) as second:
            with container.serving(whole) as first:
                client.post(first + THREADS, json={"thread_id": "t-1"}).raise_for_status()
                client.post(f"{first}{THREADS}/t-1/messages", json=message(1)).raise_for_status()
                stream = client.send(client.build_request("GET", f"{first}{THREADS}/t-1/events"), stream=True)
                lines = stream.iter_lines()
                before = next(ids(lines))
            # The first one has ended by now, with status 0; the stream ended between two events, and not with an error.
            left = list(ids(lines))
            client.post(f"{second}{THREADS}/t-1/messages", json=message(2)).raise_for_status()
            again = {"Last-Event-ID": before}

            with client.stream("GET", f"{second}{THREADS}/t-1/events", headers=again) as resumed:
                after = next(ids(resumed.iter_lines()))

    assert (before, left, after) == ("1", [], "2")


def health_check(service: Service) -> list[str]:
    """Return the command of the file's HEALTHCHECK; an OCI image does not keep it."""
    text = (ROOT / service.folder / "Containerfile").read_text()
    found = re.search(r"^HEALTHCHECK.*\\\n\s+CMD (\[.*\])$", text, re.MULTILINE)
    assert found is not None
    return json.loads(found[1])


def message(number: int) -> dict[str, object]:
    """Return a message."""
    return {"message_id": f"m-{number}", "role": "user", "parts": [{"kind": "text", "text": f"message {number}"}]}


def ids(lines: Iterator[str]) -> Iterator[str]:
    """Yield the ids of the events of a stream."""
    return (line.removeprefix("id:").strip() for line in lines if line.startswith("id:"))
