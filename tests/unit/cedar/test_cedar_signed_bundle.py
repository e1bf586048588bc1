"""Bundles that travel: the document, the names of its files, and the signature that proves its bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from aeterna.cedar.adapters import signing
from aeterna.cedar.domain.paths import checked_path
from aeterna.cedar.domain.signed_bundle import decode, encode
from aeterna.cedar.errors import BundleError, BundleInvalidError, BundleSignatureError, BundleUnreadableError

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FILES = {"a.cedar": "permit(principal, action, resource);", "tenants/acme/b.cedar": "ü", "s.cedarschema": ""}


def test_a_document_brings_back_what_was_put_into_it() -> None:
    read = decode(encode(FILES, 12, NOON))

    assert (read.files, read.version, read.created_at) == (FILES, 12, NOON)


def test_the_order_of_files_changes_no_byte_of_what_is_signed() -> None:
    assert encode(dict(reversed(FILES.items())), 1, NOON) == encode(FILES, 1, NOON)


@pytest.mark.parametrize(
    "changed",
    [
        {"format": 2},
        {"format": None},
        {"version": 0},
        {"version": True},
        {"version": "12"},
        {"version": 1.5},
        {"created_at": None},
        {"created_at": "yesterday"},
        {"created_at": "2026-11-23T12:00:00"},
        {"files": []},
        {"files": {"a.cedar": 1}},
        {"files": {"../a.cedar": ""}},
    ],
    ids=str,
)
def test_another_document_is_no_bundle(changed: dict[str, object]) -> None:
    document: dict[str, object] = json.loads(encode(FILES, 12, NOON)) | changed

    with pytest.raises(BundleError):
        decode(json.dumps(document).encode())


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_make_the_reader_fall_over(body: bytes) -> None:
    with pytest.raises(BundleUnreadableError):
        decode(body)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../a.cedar",
        "a/../b.cedar",
        "a/./b.cedar",
        "a//b.cedar",
        "a/",
        ".hidden",
        "a\\b.cedar",
        "a\x00.cedar",
        "a\n.cedar",
        "C:/a.cedar",
        "~root/a.cedar",
        "a.cedar\n",
        "x" * 256,
        "ä.cedar",
        "a b.cedar",
        "%2e%2e/a.cedar",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(BundleInvalidError):
        checked_path(path)


@pytest.mark.parametrize("path", ["a.cedar", "tenants/acme/x.cedar", "a-b_c.v1/entities.json", "0"])
def test_a_plain_path_is_taken_as_it_is(path: str) -> None:
    assert checked_path(path) == path


def _keys(folder: Path, **keys: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, pem in keys.items():
        (folder / f"{name}.pem").write_bytes(pem)
    return folder


def test_a_signature_by_any_key_of_the_folder_is_good(tmp_path: Path) -> None:
    """Rotation: for a while both keys are there."""
    (old, old_public), (new, new_public) = signing.new_key(), signing.new_key()
    keys = signing.public_keys(_keys(tmp_path / "keys", old=old_public, new=new_public))

    ids = [signing.verify(keys, signing.sign(signing.private_key(pem), b"body"), b"body") for pem in (old, new)]

    assert set(ids) == keys.keys()


def test_one_file_can_hold_several_keys(tmp_path: Path) -> None:
    file = tmp_path / "all.pem"
    file.write_bytes(b"# comment\n".join(signing.new_key()[1] for _ in range(3)))

    assert len(signing.public_keys(file)) == 3


def _headers(private: bytes) -> dict[str, str | None]:
    good = signing.sign(signing.private_key(private), b"body")
    algorithm, id_, signature = good.split(";")
    return {
        "none": None,
        "empty": "",
        "another algorithm": f"none;{id_};{signature}",
        "an unknown key": f"{algorithm};0000000000000000;{signature}",
        "no signature": f"{algorithm};{id_};",
        "half a signature": f"{algorithm};{id_};{signature[:40]}",
        "not base64": f"{algorithm};{id_};é{signature[1:]}",
        "another body's": signing.sign(signing.private_key(private), b"Body"),
        "something behind it": f"{good};{signature}",
    }


@pytest.mark.parametrize("name", _headers(signing.new_key()[0]))
def test_a_signature_that_proves_nothing_is_refused(name: str, tmp_path: Path) -> None:
    private, public = signing.new_key()
    keys = signing.public_keys(_keys(tmp_path / "keys", key=public))

    with pytest.raises(BundleSignatureError):
        signing.verify(keys, _headers(private)[name], b"body")


def test_a_key_of_another_kind_is_no_key(tmp_path: Path) -> None:
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(BundleSignatureError):
        signing.public_keys(_keys(tmp_path / "keys", rsa=pem))


def test_where_there_are_no_keys_nothing_is_trusted(tmp_path: Path) -> None:
    for location in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BundleSignatureError):
            signing.public_keys(location)


def test_a_broken_private_key_is_refused_without_being_shown() -> None:
    private, _ = signing.new_key()

    with pytest.raises(BundleSignatureError) as refused:
        signing.private_key(private.replace(b"M", b"#", 3))

    assert private.splitlines()[1].decode() not in str(refused.value)
