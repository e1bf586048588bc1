"""Leases in a real sidecar: replaced while both work, kept through an outage to their end, given back at the last."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from fixtures.vault_server import Trouble
from fixtures.vault_state import Role
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from fixtures.fix_vault_sidecar import SecretsProcess

PATH = "database/creds/app"
USER = {"dynamic": PATH, "grace": 1}
FILES = [{"file": "user", "template": "{{ database.username }}"}]


@pytest.fixture
def sidecar(secrets_process: SecretsProcess) -> SecretsProcess:
    """Return a sidecar that is not started, of a Vault whose users last two seconds, or five when they are renewed."""
    secrets_process.vault.state.dynamic[PATH] = Role(ttl=2, max_ttl=5)
    secrets_process.configure({"database": USER}, FILES)
    return secrets_process


def started(sidecar: SecretsProcess) -> SecretsProcess:
    """Start it, and wait for its files."""
    sidecar.start()
    sidecar.wait_ready()
    return sidecar


def ended(sidecar: SecretsProcess) -> int:
    """End it as the kubelet does."""
    assert sidecar.process is not None
    return sidecar.process.terminate()


def logged(sidecar: SecretsProcess, event: str) -> bool:
    """Say whether something was written down."""
    assert sidecar.process is not None
    return any(event in line for line in list(sidecar.process.log))


def test_every_user_that_an_application_ever_reads_is_one_that_the_database_knows(sidecar: SecretsProcess) -> None:
    started(sidecar)
    seen: dict[str, None] = {}

    def two_seen() -> bool:
        known = sidecar.vault.state.users()
        read = sidecar.read("user")
        # Known before the file was read, or made since.
        assert read in known | sidecar.vault.state.users()
        seen[str(read)] = None
        return len(seen) == 2

    wait_until(two_seen)
    assert sidecar.vault.count("sys/leases/renew") >= 2


def test_a_user_that_was_replaced_is_revoked_once_its_grace_is_over(sidecar: SecretsProcess) -> None:
    sidecar.vault.state.dynamic[PATH] = Role(ttl=4, max_ttl=4, renewable=False)
    first = started(sidecar).read("user")

    wait_until(lambda: sidecar.read("user") != first)
    still = first in sidecar.vault.state.users()
    wait_until(lambda: sidecar.vault.state.revoked)

    assert still
    assert sidecar.vault.state.users() == {sidecar.read("user")}


def test_through_an_outage_a_user_is_served_to_its_end_and_then_taken_away(sidecar: SecretsProcess) -> None:
    started(sidecar)
    sidecar.vault.seal()

    wait_until(lambda: not sidecar.vault.state.users() or sidecar.read("user") is None)
    wait_until(lambda: sidecar.read("user") is None)
    answer = sidecar.get("/v1/secrets/database")

    assert answer.json()["code"] == "secrets.secret_withdrawn"
    assert sidecar.health("/ready").status_code == 503
    assert sidecar.health("/live").status_code == 200


def test_after_an_outage_there_is_another_user(sidecar: SecretsProcess) -> None:
    first = started(sidecar).read("user")
    sidecar.vault.seal(429, **{"Retry-After": "1"})
    wait_until(lambda: sidecar.read("user") is None)

    sidecar.vault.unseal()

    wait_until(lambda: sidecar.read("user") not in {None, first})
    wait_until(lambda: sidecar.health("/ready").status_code == 200)


def test_it_is_not_ready_while_its_source_is_sealed_and_does_not_give_up(sidecar: SecretsProcess) -> None:
    sidecar.vault.seal()
    sidecar.start()
    wait_until(lambda: sidecar.vault.count("auth") >= 2)
    before = sidecar.health("/ready").status_code, sidecar.get("/v1/secrets/database").json()["code"]

    sidecar.vault.unseal()

    sidecar.wait_ready()
    assert before == (503, "secrets.secret_not_ready")


def test_when_it_is_told_to_stop_every_login_and_every_user_is_gone(sidecar: SecretsProcess) -> None:
    started(sidecar)

    status = ended(sidecar)

    assert status == 0
    assert sidecar.vault.state.users() == set()
    assert sidecar.vault.state.tokens == {}
    assert sidecar.left() == []


def test_a_source_that_does_not_answer_does_not_keep_it_from_stopping(sidecar: SecretsProcess) -> None:
    """Neither the loop nor the end of the process waits for the thread that waits for the source."""
    sidecar.environment |= {"AETERNA_SECRETS_SOURCE_TIMEOUT": "60", "AETERNA_SECRETS_REVOKE_TIMEOUT": "1"}
    started(sidecar)
    sidecar.vault.troubles.append(Trouble(until=threading.Event()))
    asked = len(sidecar.vault.asked)
    wait_until(lambda: len(sidecar.vault.asked) > asked)
    live = sidecar.health("/live").status_code

    status = ended(sidecar)

    assert (live, status) == (200, 0)
    assert sidecar.left() == []
    assert logged(sidecar, "secrets.not_given_back")


def test_what_is_wrong_with_the_configuration_is_one_line(secrets_process: SecretsProcess) -> None:
    secrets_process.configure({"database": {"dynamic": "../x"}})

    with pytest.raises(AssertionError, match=r"secrets\.database\.dynamic"):
        secrets_process.start()


def test_metrics_say_how_long_each_lease_still_is(sidecar: SecretsProcess) -> None:
    sidecar.vault.state.dynamic[PATH] = Role(ttl=600)
    started(sidecar)

    lines = sidecar.health("/metrics").text.splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("aeterna_secrets_"))

    assert 590 < float(found['aeterna_secrets_lease_remaining_seconds{name="database"}']) <= 600
    assert found['aeterna_secrets_held{name="database"}'] == "1.0"
    assert found['aeterna_secrets_source_operations_total{kind="login",source="vault"}'] == "1.0"
