"""What a configuration may say of files: everything that works, and nothing that leads out of the pod."""

from __future__ import annotations

from typing import Any

import pytest

from aeterna.secrets.domain.rendition import FileSpec, LoopbackCall, ProcessSignal, read_files
from aeterna.secrets.errors import ConfigurationInvalidError


def test_a_file_says_where_it_is_what_it_is_made_of_who_reads_it_and_who_is_told() -> None:
    (spec,) = read_files(
        "files",
        [
            {
                "file": "app/db.pgpass",
                "pgpass": "database",
                "with": {"host": "db.internal"},
                "mode": "0600",
                "group": 2000,
                "on_change": [
                    {"signal": "HUP", "pid_file": "/run/app/app.pid"},
                    {"url": "http://127.0.0.1:8080/reload?full=1"},
                ],
            }
        ],
    )

    assert spec == FileSpec(
        file="app/db.pgpass",
        shape="pgpass",
        secret="database",
        beside={"host": "db.internal"},
        mode=0o600,
        group=2000,
        on_change=(
            ProcessSignal(signal="HUP", pid_file="/run/app/app.pid"),
            LoopbackCall(url="http://127.0.0.1:8080/reload?full=1"),
        ),
    )


@pytest.mark.parametrize(("text", "secret", "member"), [("api", "api", "value"), ("api.a.key", "api", "a.key")])
def test_one_field_is_named_behind_a_dot(text: str, secret: str, member: str) -> None:
    (spec,) = read_files("files", [{"file": "key", "value": text}])

    assert (spec.secret, spec.member) == (secret, member)


def test_a_password_file_of_libpq_is_its_owners_alone_and_everything_else_its_groups() -> None:
    password, other = read_files("files", [{"file": "a", "pgpass": "db"}, {"file": "b", "json": "db"}])

    assert (password.mode, other.mode) == (0o600, 0o440)


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("it must say what it is", {"file": "a"}),
        ("it is one thing alone", {"file": "a", "json": "db", "env": "db"}),
        ("it has a place", {"json": "db"}),
        ("its place is not absolute", {"file": "/etc/passwd", "json": "db"}),
        ("its place leads not upward", {"file": "../x", "json": "db"}),
        ("nor in the middle", {"file": "a/../../x", "json": "db"}),
        ("nor is it one of ours", {"file": "..data", "json": "db"}),
        ("nor hidden", {"file": ".env", "json": "db"}),
        ("nor does it end in a slash", {"file": "a/", "json": "db"}),
        ("nor is it deep", {"file": "a/b/c/d/e", "json": "db"}),
        ("a secret's name is a variable's", {"file": "a", "json": "my-db"}),
        ("only a value has a field", {"file": "a", "json": "db.password"}),
        ("which has a name", {"file": "a", "value": "db."}),
        ("literals are for fields", {"file": "a", "template": "x", "with": {"a": "b"}}),
        ("literals are text", {"file": "a", "json": "db", "with": {"port": 5432}}),
        ("a mode is text, since YAML's octals differ", {"file": "a", "json": "db", "mode": 0o440}),
        ("nobody else writes it", {"file": "a", "json": "db", "mode": "0666"}),
        ("nobody executes it", {"file": "a", "json": "db", "mode": "0755"}),
        ("its owner reads it", {"file": "a", "json": "db", "mode": "0040"}),
        ("nothing beyond that", {"file": "a", "json": "db", "mode": "4440"}),
        ("a group is no name", {"file": "a", "json": "db", "group": "staff"}),
        ("and not root's", {"file": "a", "json": "db", "group": 0}),
        ("and no truth", {"file": "a", "json": "db", "group": True}),
        ("nothing unknown is taken for nothing", {"file": "a", "json": "db", "command": "/bin/sh"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_would_not_work_is_refused(sentence: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationInvalidError):
        read_files("files", [wrong])


@pytest.mark.parametrize(
    "notice",
    [
        {"command": "kill -HUP 1"},
        {"signal": "KILL", "pid_file": "/run/a.pid"},
        {"signal": "HUP"},
        {"signal": "HUP", "pid_file": "a.pid"},
        {"signal": "HUP", "pid_file": "/run/a.pid", "url": "http://127.0.0.1:80/"},
        {"url": "https://127.0.0.1:8443/"},
        {"url": "http://localhost:8080/"},
        {"url": "http://169.254.169.254:80/"},
        {"url": "http://10.0.0.1:8080/"},
        {"url": "http://127.0.0.1.evil.example:8080/"},
        {"url": "http://evil@127.0.0.1:8080/"},
        {"url": "http://127.0.0.1/"},
        {"url": "http://127.0.0.1:99999/"},
        {"url": "http://127.0.0.1:80/\r\nHost: x"},
        {"url": "http://2130706433:80/"},
        {"url": "unix:/run/app.sock"},
    ],
    ids=str,
)
def test_nobody_is_told_outside_of_the_pods_loopback_and_nothing_is_executed(notice: dict[str, str]) -> None:
    with pytest.raises(ConfigurationInvalidError):
        read_files("files", [{"file": "a", "json": "db", "on_change": [notice]}])


def test_the_ipv6_loopback_is_one_too() -> None:
    (spec,) = read_files("files", [{"file": "a", "json": "db", "on_change": [{"url": "http://[::1]:8080/"}]}])

    assert spec.on_change == (LoopbackCall(url="http://[::1]:8080/"),)


@pytest.mark.parametrize("second", ["a", "a/b"])
@pytest.mark.parametrize("order", [1, -1])
def test_two_files_do_not_share_a_place(second: str, order: int) -> None:
    entries = [{"file": "a", "json": "db"}, {"file": second, "json": "db"}][::order]

    with pytest.raises(ConfigurationInvalidError, match="place of another file"):
        read_files("files", entries)
