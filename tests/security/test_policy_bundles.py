"""Whoever writes a bundle or reaches the store may be hostile: nothing leads out of a folder, and no secret out."""

from __future__ import annotations

import json
import os
import socket
import stat
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.paths import checked_path
from aeterna.cedar.errors import BundleError, BundleInvalidError, BundleUnreadableError
from aeterna.policy.domain.staged_set import StagedSet
from aeterna.policy.settings import SHIPPED
from fixtures.api_processes import service_process
from fixtures.policy_store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CANARY = "canary-of-the-store-2f9c41d7"


def _link_out(folder: Path) -> None:
    outside = folder.parent / "outside.cedar"
    outside.write_text("permit(principal, action, resource);")
    (folder / "link.cedar").symlink_to(outside)


def _link_to_folder(folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "a.cedar").write_text("permit(principal, action, resource);")
    (folder / "tenants").symlink_to(outside)


def _circle(folder: Path) -> None:
    (folder / "again").symlink_to(folder)


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.cedar")


def _deep(folder: Path) -> None:
    (folder / "/".join("abcdefghij")).mkdir(parents=True)


def _device(folder: Path) -> None:
    (folder / "zero.cedar").symlink_to("/dev/zero")


def _names(folder: Path) -> None:
    (folder / "a\nb.cedar").write_text("")


@pytest.mark.parametrize("attack", [_link_out, _link_to_folder, _circle, _pipe, _deep, _device, _names])
def test_a_folder_that_leads_elsewhere_is_refused_as_a_whole(
    attack: Callable[[Path], None], bundle_folder: Path
) -> None:
    """Refused and not passed over: a policy that is missing may be the one that forbids."""
    attack(bundle_folder)

    with pytest.raises(BundleUnreadableError):
        DirectoryBundleSource(bundle_folder).read()


def test_a_link_within_the_folder_is_a_file_of_it(bundle_folder: Path) -> None:
    (bundle_folder / "policies").mkdir()
    (bundle_folder / "aeterna.cedar").rename(bundle_folder / "policies" / "real.cedar")
    (bundle_folder / "again.cedar").symlink_to("policies/real.cedar")

    assert set(DirectoryBundleSource(bundle_folder).read().policies) == {"again.cedar", "policies/real.cedar"}


def test_what_is_hidden_does_not_count(bundle_folder: Path) -> None:
    """A checkout has such folders, and an editor leaves such files."""
    (bundle_folder / ".git").mkdir()
    (bundle_folder / ".git" / "x.cedar").write_text("permit(principal, action, resource);")
    (bundle_folder / ".a.cedar.swp").write_text("")

    assert set(DirectoryBundleSource(bundle_folder).read().policies) == {"aeterna.cedar"}


@given(st.text(max_size=40) | st.sampled_from(["..", "a/../b.cedar", "//", "a/./b", "%2e%2e%2f", "\\..\\", "a\x00b"]))
def test_no_path_that_is_taken_leads_out_of_a_folder(path: str) -> None:
    try:
        taken = checked_path(path)
    except BundleInvalidError:
        return

    assert os.path.normpath(taken) == taken
    assert not taken.startswith(("/", ".", "~"))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(
            ["a.cedar", "s.cedarschema", "entities.json", "tenants/acme/a.cedar", "tenants/x/entities.json"]
        ),
        st.text(max_size=60)
        | st.sampled_from(
            [
                '@id("a") permit(principal, action, resource);',
                "namespace A { entity B; }",
                "[]",
                '[{"uid": {"type": "A::B", "id": "1"}, "attrs": {}, "parents": []}]',
                "permit(" * 500,
                "[" * 2000,
            ]
        ),
    )
)
def test_no_text_makes_the_compiler_fall_over(files: dict[str, str]) -> None:
    """A bundle becomes an engine or is refused; nothing else comes of it."""
    try:
        engine = CedarCompiler().compile(Bundle.of(files))
    except BundleError:
        return

    assert engine is not None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "delete", "spoil", "entities"]),
            st.sampled_from(["a.cedar", "b.cedar", "../a.cedar", "s.cedarschema", "tenants/acme/a.cedar"]),
            st.sampled_from(["permit", "forbid"]),
        ),
        max_size=30,
    )
)
def test_no_order_of_pushes_leaves_a_set_that_is_neither_whole_nor_refused(pushes: list[tuple[str, str, str]]) -> None:
    """What is published is exactly what was put last and not deleted; what could not be taken stops it all."""
    staged, expected, spoilt = StagedSet(schema="configured"), dict[str, str](), set[str]()
    for what, id_, text in pushes:
        spoilt.discard(id_)
        if what == "put" and id_ != "../a.cedar":
            staged.put(id_, text)
            expected[id_] = text
        elif what == "delete":
            staged.delete(id_)
            expected.pop(id_, None)
        elif what == "entities":
            staged.put_entities({None: f'["{text}"]'})
            spoilt = spoilt | ({id_} & staged.spoilt.keys())
        else:
            staged.spoil(id_, "was cut short")
            spoilt.add(id_)

    assert staged.spoilt.keys() == spoilt
    try:
        policies = staged.bundle().policies
    except BundleInvalidError:
        assert spoilt or not any(id_.endswith(".cedar") for id_ in expected)
    else:
        assert not spoilt
        assert policies == {id_: text for id_, text in expected.items() if id_.endswith(".cedar")}


@pytest.mark.anyio
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    method=st.sampled_from(["GET", "PUT", "DELETE", "POST", "PATCH", "HEAD", "OPTIONS"]),
    path=st.sampled_from(["/v1/", "/v1/policies", "/v1/data", "/v1/schema", "/v1/status", "/v1/policies/a.cedar"])
    | st.binary(max_size=20).map(lambda raw: "/v1/policies/" + quote_from_bytes(raw, safe="")),
    body=st.binary(max_size=60)
    | st.sampled_from(
        [
            b"[" * 5000,
            b'{"content": "\\ud800"}',
            b'{"content": null}',
            b'[{"id": "a.cedar", "content": ""}, {"id": "a.cedar", "content": ""}]',
            b'[{"id": "../a", "content": ""}]',
            b'{"tenants": {"\\u0000": []}}',
            b'{"tenants": {"a": [' + b"9" * 400 + b"]}}",
        ]
    ),
)
async def test_no_request_makes_the_store_fall_over(method: str, path: str, body: bytes, tmp_path: Path) -> None:
    store = Store(tmp_path / "none", matches=False)
    async with store.client:
        answer = await store.client.request(method, path, content=body)
        await store.files()

    assert answer.status_code in {200, 204, 400, 404, 405}


def test_no_token_comes_out_of_the_sidecar(tmp_path: Path) -> None:
    """Neither into its log, nor its metrics, nor an answer, nor what it keeps, whatever it is asked with it."""
    token = tmp_path / "token"
    token.write_text(CANARY)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        "ADMIN_PORT": str(port),
        "ADMIN_TOKEN_FILE": str(token),
        "STATE": str(tmp_path / "state"),
        "LOG_LEVEL": "debug",
    }
    bearer = {"Authorization": f"Bearer {CANARY}"}
    with service_process("aeterna.policy", environment, tmp_path) as sidecar:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=bearer, trust_env=False) as store:
            answers = [
                store.request(method, path, content=body)
                for method, path, body in (
                    ("PUT", "/v1/policies/a.cedar", b"no json"),
                    ("PUT", "/v1/policies/..%2Fa.cedar", b'{"content": ""}'),
                    ("PUT", "/v1/data", b"{}}"),
                    ("GET", "/v1/status", b""),
                    ("GET", f"/v1/{CANARY[:4]}", b""),
                    ("POST", "/v1/data", b""),
                )
            ]
            answers.append(store.get("/v1/data", headers={"Authorization": f"Bearer {CANARY}x"}))
        answers += [httpx.get(sidecar.url + path, trust_env=False) for path in ("/metrics", "/health", "/ready")]
        written = [file.read_bytes() for file in (tmp_path / "state").rglob("*") if file.is_file()]

    everything = b"".join([answer.content for answer in answers] + written) + sidecar.log.read_bytes()
    assert {answer.status_code for answer in answers} == {200, 400, 401, 404, 405}
    assert CANARY.encode() not in everything


def test_the_store_listens_on_the_loopback_or_on_a_socket_that_strangers_cannot_open(tmp_path: Path) -> None:
    admin = tmp_path / "admin.sock"
    with service_process("aeterna.policy", {"ADMIN_SOCKET": str(admin)}, tmp_path):
        mode = stat.S_IMODE(admin.stat().st_mode)
        transport = httpx.HTTPTransport(uds=str(admin))
        with httpx.Client(transport=transport, base_url="http://store", trust_env=False) as store:
            entities = json.loads((SHIPPED / "entities.json").read_text())
            status = store.put("/v1/data", json=entities).status_code

    assert (mode & 0o007, status) == (0, 200)
