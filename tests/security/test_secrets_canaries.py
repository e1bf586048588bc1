"""Canaries: the value of a secret is in the files and on the socket, and nowhere else that anybody could look."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aeterna.secrets.adapters.configuration_file import read_configuration
from aeterna.secrets.adapters.jinja_templates import JinjaTemplates
from aeterna.secrets.errors import ConfigurationInvalidError
from fixtures.fix_vault_sidecar import JWT, prepared
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from fixtures.fix_vault_sidecar import SecretsProcess

CANARIES = [f"canary-{n:04x}-of-a-secret" for n in range(4)]
# Everything a pod's author can ask for, and much that goes wrong: each of these says something in the log.
FILES = [
    {"file": "app/db.env", "env": "api", "on_change": [{"url": "http://127.0.0.1:9/reload"}]},
    {"file": "app/db.ini", "template": "pw={{ api.key }} {{ api[api.key]|default('') }}\n"},
    {"file": "broken.ini", "template": "{{ api[api.key] }}\n"},
    {"file": "broken.pgpass", "pgpass": "database", "on_change": [{"signal": "HUP", "pid_file": "/nowhere/app.pid"}]},
]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Generator[SecretsProcess]:
    """Return a sidecar that logs everything, and to which much has happened: a rotation, failures, a sealed Vault."""
    with prepared(tmp_path_factory.mktemp("busy")) as sidecar:
        sidecar.keep("app/api", {"key": CANARIES[0]})
        sidecar.keep("app/db", {"username": "app", "password": f"{CANARIES[1]}\n"})
        sidecar.configure(
            {
                "api": {"kv": "app/api", "interval": 1},
                "database": {"kv": "app/db", "interval": 1},
                "absent": {"kv": "app/none", "interval": 1},
            },
            FILES,
        )
        process = sidecar.start()
        wait_until(lambda: sidecar.read("app/db.env") == f"key='{CANARIES[0]}'\n")
        sidecar.keep("app/api", {"key": CANARIES[2]})
        wait_until(lambda: sidecar.read("app/db.env") == f"key='{CANARIES[2]}'\n")
        wait_until(lambda: "secrets.handover_failed" in "".join(process.log))
        sidecar.vault.seal()
        wait_until(lambda: "secrets.source_unavailable" in "".join(process.log))
        sidecar.vault.unseal()
        yield sidecar


def secrets_of(sidecar: SecretsProcess) -> list[str]:
    """Return all that must not show: values, the pod's token, and the tokens that Vault gave for it."""
    shown = {asked.headers.get("X-Vault-Token", "") for asked in sidecar.vault.asked} - {""}
    assert shown
    return [*CANARIES, JWT, *shown]


def found_in(text: str, secrets: list[str]) -> list[str]:
    """Return which secrets a text has."""
    return [secret for secret in secrets if secret in text]


def test_no_secret_is_in_the_log_whatever_goes_wrong(busy: SecretsProcess) -> None:
    assert busy.process is not None

    log = "".join(busy.process.log)

    assert busy.environment["AETERNA_SECRETS_LOG_LEVEL"] == "debug"
    assert "secrets.handover_failed" in log
    assert found_in(log, secrets_of(busy)) == []


def test_no_secret_is_in_what_the_kernel_shows_of_the_process(busy: SecretsProcess) -> None:
    assert busy.process is not None
    shown = Path("/proc") / str(busy.process.process.pid)

    said = [(shown / name).read_bytes().decode(errors="replace") for name in ("environ", "cmdline", "status", "maps")]

    assert "AETERNA_SECRETS_SOCKET" in said[0]
    assert found_in("".join(said), secrets_of(busy)) == []


def test_the_process_leaves_no_core(busy: SecretsProcess) -> None:
    assert busy.process is not None
    limits = (Path("/proc") / str(busy.process.process.pid) / "limits").read_text()

    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


def test_no_secret_is_in_probes_metrics_lists_and_problems(busy: SecretsProcess) -> None:
    probes = [busy.health(path) for path in ("/live", "/ready", "/health", "/metrics", "/v1/secrets/api", "/")]
    asked = [
        busy.get(path)
        for path in (
            "/v1/secrets",
            "/v1/changes",
            "/v1/changes?after=x",
            "/v1/secrets/absent",
            f"/v1/secrets/{CANARIES[3][:5]}",
            "/v1/secrets/api/key",
            "/v1/changes?wait=never",
        )
    ]

    told = "".join(f"{answer.headers} {answer.text}" for answer in (*probes, *asked))
    assert "aeterna_secrets_files" in told
    assert found_in(told, secrets_of(busy)) == []


def test_secrets_are_told_on_the_socket_and_on_no_port(busy: SecretsProcess) -> None:
    assert busy.health("/v1/secrets/api").status_code == 404
    assert busy.get("/v1/secrets/api").json()["fields"] == {"key": CANARIES[2]}


def test_the_value_before_is_gone_from_the_volume_soon_after_it_was_replaced(busy: SecretsProcess) -> None:
    wait_until(lambda: not [text for text in _contents(busy) if CANARIES[0] in text])

    assert [text for text in _contents(busy) if CANARIES[2] in text]


def test_files_and_socket_are_gone_after_the_end_and_values_after_a_kill_and_a_restart(
    secrets_process: SecretsProcess,
) -> None:
    secrets_process.keep("app/api", {"key": CANARIES[2]})
    secrets_process.configure({"api": {"kv": "app/api"}}, FILES[:1])
    secrets_process.start()
    wait_until(lambda: [text for text in _contents(secrets_process) if CANARIES[2] in text])
    secrets_process.kill()
    secrets_process.vault.seal()
    process = secrets_process.start()
    assert list(_contents(secrets_process)) == []
    wait_until(lambda: secrets_process.health_address)

    process.terminate()

    assert secrets_process.left() == []
    assert not secrets_process.socket.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"file": "a", "json": "api", "mode": CANARIES[1]},
        {"file": "a", "json": "api", "with": CANARIES[1]},
        {"file": "a", "value": CANARIES[1]},
        {"file": "a", "template": f"{{{{ {CANARIES[1]!r} | b64decode }}"},
    ],
    ids=["mode", "literal", "secret", "template"],
)
def test_a_configuration_that_is_wrong_is_told_without_what_it_says(wrong: dict[str, str], tmp_path: Path) -> None:
    """People paste secrets into the strangest places."""
    (tmp_path / "secrets.yaml").write_text(
        json.dumps(
            {
                "sources": {"aws": {"kind": "aws", "region": "eu-central-1"}},
                "secrets": {"api": {"source": "aws", "name": "app/api"}},
                "files": [wrong],
            }
        )
    )

    with pytest.raises(ConfigurationInvalidError) as refused:
        [JinjaTemplates().needs(spec) for spec in read_configuration(tmp_path).files]

    assert CANARIES[1] not in str(refused.value)


def _contents(sidecar: SecretsProcess) -> Iterator[str]:
    """Return what is in every file of the volume; one that goes meanwhile has nothing."""
    for path in sidecar.files.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink():
                yield path.read_text()
        except FileNotFoundError:
            continue
