"""The plain shapes of files, read back by the programs that they are for."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn

from aeterna.secrets.domain.rendition import FileSpec, Shape
from aeterna.secrets.domain.secret import Fields, Secret
from aeterna.secrets.domain.shapes import shaped
from aeterna.secrets.errors import RenderError

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.secrets.domain.secret import JsonValue

CANARY = "a-value-that-must-not-show"


def made(shape: Shape, fields: dict[str, JsonValue], **beside: str) -> str:
    """Return a file's content."""
    spec = FileSpec(file="f", shape=shape, secret="s", beside=beside)
    return shaped(spec, Secret(fields=Fields(fields), version="1")).decode()


@given(
    st.dictionaries(
        st.from_regex(r"A_[A-Z0-9]{1,5}", fullmatch=True),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        max_size=4,
    )
)
@settings(max_examples=15, deadline=None)
def test_a_shell_reads_from_an_environment_file_what_the_secret_holds(fields: dict[str, JsonValue]) -> None:
    script = f"set -a\n{made('env', fields)}\nexec env -0"

    read = subprocess.run(["sh", "-c", script], capture_output=True, check=True, env={}).stdout

    found = dict(entry.split(b"=", 1) for entry in read.split(b"\0") if entry.startswith(b"A_"))
    assert found == {name.encode(): str(value).encode() for name, value in fields.items()}


def test_json_holds_the_fields_and_the_literals_beside_them() -> None:
    assert json.loads(made("json", {"password": "ä", "ports": [1, 2]}, host="db")) == {
        "password": "ä",
        "ports": [1, 2],
        "host": "db",
    }


def test_a_password_file_escapes_what_separates_and_leaves_open_what_is_not_said() -> None:
    assert made("pgpass", {"username": "a:b", "password": "c\\d:e"}, host="db") == "db:*:*:a\\:b:c\\\\d\\:e\n"


def test_a_service_file_has_a_section_of_ours_in_libpqs_words() -> None:
    assert made("pgservice", {"username": "app", "password": "p=w # x"}, host="db", port="5432", database="orders") == (
        "[aeterna]\nhost=db\nport=5432\ndbname=orders\nuser=app\npassword=p=w # x\n"
    )


def test_a_value_is_the_field_and_not_one_byte_more() -> None:
    assert made("value", {"value": "-----BEGIN KEY-----\n"}) == "-----BEGIN KEY-----\n"


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ("env", {"not-a-variable": CANARY}),
        ("env", {"A": f"{CANARY}\0"}),
        ("pgpass", {"username": CANARY}),
        ("pgpass", {"username": "app", "password": f"{CANARY}\nevil:*:*:*:x"}),
        ("pgpass", {"username": "app", "password": ""}),
        ("pgservice", {"username": "app", "password": f"{CANARY}\n[other]"}),
        ("pgservice", {"username": "app", "password": f" {CANARY}"}),
        ("value", {"other": CANARY}),
        ("value", {"value": f"{CANARY}\ud800"}),
        ("env", {"A": f"{CANARY}\ud800"}),
    ],
)
def test_what_a_shape_cannot_say_is_refused_without_showing_it(shape: Shape, fields: dict[str, JsonValue]) -> None:
    with pytest.raises(RenderError) as refused:
        made(shape, fields)

    assert CANARY not in f"{refused.value!r}{refused.value.__cause__!r}"


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@given(user=TEXT, password=TEXT)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_libpq_reads_from_a_password_file_what_the_secret_holds(
    user: str, password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there: libpq has looked the password up by then."""
    file = tmp_path / "pgpass"
    file.write_text(made("pgpass", {"username": user, "password": password}, host="127.0.0.1", port="1"))
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))

    tried = PGconn.connect(make_conninfo(host="127.0.0.1", port=1, dbname="any", user=user).encode())

    assert tried.password.decode() == password


@given(user=TEXT, password=TEXT)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_libpq_reads_from_a_service_file_what_the_secret_holds(
    user: str, password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assume(user == user.strip() and password == password.strip())
    file = tmp_path / "service.conf"
    file.write_text(made("pgservice", {"username": user, "password": password}, host="127.0.0.1", port="1"))
    monkeypatch.setenv("PGSERVICEFILE", str(file))

    tried = PGconn.connect(b"service=aeterna dbname=any")

    assert (tried.user.decode(), tried.password.decode()) == (user, password)
