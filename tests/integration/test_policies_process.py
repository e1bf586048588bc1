"""The administration as a real process with a real database, a real sidecar and the real analysis."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import psycopg
import pytest

from aeterna.cedar.adapters.signing import public_keys, verify
from aeterna.cedar.domain.signed_bundle import decode
from fixtures.fix_live_runtime import wait_until
from fixtures.fix_policies import SHIPPED, shipped_files
from fixtures.fix_threads import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aeterna.service.testing import SigningKey
    from fixtures.fix_postgres import Postgres

ROOT = "/api/v1/policies"
AUDITORS = (
    '@id("auditors-read")\npermit (principal in Aeterna::Role::"auditor", '
    'action == Aeterna::Action::"policies.read", resource);\n'
)
BLOCKING = '@id("no-agents")\nforbid (principal is Aeterna::Agent, action, resource is Aeterna::Graph);\n'


@pytest.fixture
def environment(
    policies_database: str, policy_socket: Path, signing_key: SigningKey, signing_key_file: Path, tmp_path: Path
) -> dict[str, str]:
    """Return the environment of an administration on a database of the test's own."""
    return {
        "AETERNA_POLICIES_PORT": "0",
        "AETERNA_POLICIES_DSN": policies_database,
        "AETERNA_POLICIES_ISSUER": signing_key.issuer,
        "AETERNA_POLICIES_JWKS": str(signing_key.write_jwks(tmp_path / "jwks.json")),
        "AETERNA_POLICIES_POLICY_URL": f"unix:{policy_socket}",
        "AETERNA_POLICIES_SIGNING_KEY_FILE": str(signing_key_file),
        "AETERNA_POLICIES_SEED": str(SHIPPED),
    }


@pytest.fixture
def start(start_service: Callable[..., ServiceProcess], environment: dict[str, str]) -> Callable[..., ServiceProcess]:
    """Return what starts an administration, with changes of its environment."""

    def run(**changes: str) -> ServiceProcess:
        return start_service("aeterna.policies", environment | changes)

    return run


@pytest.fixture
def client(service_client: Callable[..., httpx.Client]) -> Callable[..., httpx.Client]:
    """Return what makes a client of an administration with a token of the platform's administrator."""

    def make(process: ServiceProcess) -> httpx.Client:
        return service_client(process, "platform", ("admin",))

    return make


def proposal(request_id: str, base: int, **files: str) -> dict[str, Any]:
    """Return the body of a proposal."""
    return {"request_id": request_id, "base": base, "message": "Because", "files": shipped_files(**files)}


def test_a_change_goes_from_proposal_to_sidecar_and_back(
    start: Callable[..., ServiceProcess], client: Callable[..., httpx.Client], signing_key_file: Path, tmp_path: Path
) -> None:
    """The whole way, with the real analysis: proposed, refused when it opposes, deployed, adopted, rolled back."""
    process = start()
    admin = client(process)
    sidecar = ServiceProcess(
        "aeterna.policy",
        {
            "AETERNA_POLICY_SOCKET": str(tmp_path / "fed.sock"),
            "AETERNA_POLICY_BUNDLE_URL": f"{process.url}/v1/bundle",
            "AETERNA_POLICY_BUNDLE_KEYS": str(signing_key_file.with_name("public.pem")),
            "AETERNA_POLICY_STATE": str(tmp_path / "state"),
            "AETERNA_POLICY_REFRESH_INTERVAL": "0.2",
        },
    )
    try:
        refused = admin.post(f"{ROOT}/versions", json=proposal("bad", 1, b__cedar=BLOCKING))
        assert (refused.status_code, refused.json()["code"]) == (422, "policies.refused")
        opposing = [found for found in refused.json()["findings"] if found["refuses"]]
        assert {found["kind"] for found in opposing} == {"opposing"}
        assert all(found["example"] for found in opposing)

        made = admin.post(f"{ROOT}/versions", json=proposal("good", 1, b__cedar=AUDITORS))
        assert made.status_code == 201, made.text
        assert admin.post(f"{ROOT}/versions/2/deploy").status_code == 201
        digest = made.json()["digest"]
        wait_until(lambda: digest in admin.get("/v1/replicas").json()["digests"])
        gains = admin.get(f"{ROOT}/versions/2/diff", params={"effects": "true"}).json()["differences"]
        assert {one["action"] for one in gains if one["gained"]} == {'Aeterna::Action::"policies.read"'}

        back = admin.post(f"{ROOT}/rollback", json={"request_id": "back", "base": 2, "message": "m", "to": 1})
        assert back.status_code == 201
        wait_until(lambda: back.json()["digest"] in admin.get("/v1/replicas").json()["digests"])
    finally:
        sidecar.terminate()
    assert admin.get(f"{ROOT}/audit/verification").json()["holds"] is True


def test_the_published_bundle_is_signed_by_the_key_that_is_in_the_file_now(
    start: Callable[..., ServiceProcess], signing_key_file: Path
) -> None:
    process = start()
    answer = httpx.get(f"{process.url}/v1/bundle", trust_env=False)

    verify(public_keys(signing_key_file.with_name("public.pem")), answer.headers["aeterna-signature"], answer.content)
    assert dict(decode(answer.content).files) == shipped_files()


def test_a_kill_in_the_middle_of_deploying_leaves_all_or_nothing(
    start: Callable[..., ServiceProcess],
    client: Callable[..., httpx.Client],
    environment: dict[str, str],
) -> None:
    """The transaction is held open at its last statement, from outside, while the process is killed."""
    process = start()
    assert client(process).post(f"{ROOT}/versions", json=proposal("a", 1, b__cedar=AUDITORS)).status_code == 201
    with psycopg.connect(environment["AETERNA_POLICIES_DSN"]) as blocker:
        # A deployment writes its row, then its record; this lets it do the first and has it wait for the second.
        blocker.execute("LOCK TABLE policies.audit IN EXCLUSIVE MODE")
        asking = threading.Thread(target=_deploy_unheard, args=(client(process),))
        asking.start()
        wait_until(lambda: _waiting(environment["AETERNA_POLICIES_DSN"]))
        process.kill()
        asking.join(timeout=20)
        blocker.rollback()
    again = start()

    assert client(again).get(f"{ROOT}/deployed").json()["version"] == 1
    assert [one["record"]["facts"]["version"] for one in _records(client(again))] == [2, 1, 1]
    deployed = client(again).post(f"{ROOT}/versions/2/deploy")
    assert (deployed.status_code, deployed.json()["state"]) == (201, "deployed")
    assert client(again).get(f"{ROOT}/audit/verification").json()["holds"] is True


def test_without_its_database_the_administration_says_what_to_do_and_comes_back(
    start: Callable[..., ServiceProcess], client: Callable[..., httpx.Client], postgres: Postgres
) -> None:
    process = start()
    admin = client(process)
    postgres.stop()
    try:
        # Who was asked while it went may be told that it is busy.
        wait_until(lambda: "bring PostgreSQL back" in admin.get(f"{ROOT}/deployed").json()["detail"])
        answers = [admin.get(f"{ROOT}/deployed"), admin.get("/v1/bundle"), admin.get("/ready")]
    finally:
        postgres.start()

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert int(answers[0].headers["retry-after"]) >= 1
    wait_until(lambda: admin.get(f"{ROOT}/deployed").status_code == 200)


def test_an_analysis_that_takes_too_long_is_ended_and_the_next_one_works(
    start: Callable[..., ServiceProcess], client: Callable[..., httpx.Client]
) -> None:
    admin = client(start(AETERNA_POLICIES_ANALYSIS_TIMEOUT="0.05"))

    refused = admin.post(f"{ROOT}/versions", json=proposal("a", 1, b__cedar=AUDITORS))

    assert (refused.status_code, refused.json()["code"]) == (422, "policies.analysis_timeout")
    assert admin.get(f"{ROOT}/versions").json()["versions"][0]["version"] == 1


def test_the_end_of_the_process_leaves_no_child_behind(
    start: Callable[..., ServiceProcess], client: Callable[..., httpx.Client]
) -> None:
    process = start()
    client(process).post(f"{ROOT}/versions", json=proposal("a", 1, b__cedar=AUDITORS))
    children = psutil.Process(process.process.pid).children(recursive=True)

    process.process.send_signal(signal.SIGTERM)
    process.process.wait(timeout=20)

    assert children
    assert psutil.wait_procs(children, timeout=20)[1] == []


def test_the_offline_commands_verify_and_cut(start: Callable[..., ServiceProcess], environment: dict[str, str]) -> None:
    start()
    dsn = {"PATH": os.environ["PATH"], "AETERNA_POLICIES_DSN": environment["AETERNA_POLICIES_DSN"]}

    program = [sys.executable, "-P", "-m", "aeterna.policies"]
    ran = [
        subprocess.run(
            [*program, command],
            env=dsn,
            capture_output=True,
            text=True,
            check=False,
        )
        for command in ("verify-audit", "cut-audit")
    ]

    assert [one.returncode for one in ran] == [0, 0], ran
    assert json.loads(ran[0].stdout)["holds"] is True
    assert json.loads(ran[1].stdout) is None


def test_who_locked_everybody_out_gets_back_in_at_the_database(
    start: Callable[..., ServiceProcess], client: Callable[..., httpx.Client], environment: dict[str, str]
) -> None:
    """A policy that denies every administrator also denies the rollback that would mend it."""
    admin = client(start())
    assert admin.post(f"{ROOT}/versions", json=proposal("a", 1, b__cedar=AUDITORS)).status_code == 201
    assert admin.post(f"{ROOT}/versions/2/deploy").status_code == 201
    program = [sys.executable, "-P", "-m", "aeterna.policies", "roll-back", "1"]
    dsn = {"PATH": os.environ["PATH"], "AETERNA_POLICIES_DSN": environment["AETERNA_POLICIES_DSN"]}

    done = subprocess.run(program, env=dsn, capture_output=True, text=True, check=False)

    assert "version 3 decides" in done.stdout, done.stderr
    assert admin.get(f"{ROOT}/deployed").json()["files"] == shipped_files()
    assert _records(admin)[0]["record"]["actor"] == "Operator:operator"


def _deploy_unheard(client: httpx.Client) -> None:
    try:
        client.post(f"{ROOT}/versions/2/deploy")
    except httpx.TransportError:
        return


def _waiting(dsn: str) -> bool:
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
            "AND query LIKE '%policies.audit%'"
        ).fetchone()
    return found is not None and found[0] > 0


def _records(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{ROOT}/audit").json()["records"]
    return found
