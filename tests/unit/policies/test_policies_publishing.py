"""What is published, by which key it is signed, and what the administration begins with."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.signing import new_key, public_keys, verify
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.adapters.key_file import KeyFileSigner
from aeterna.policies.errors import NothingDeployedError, SigningKeyMissingError, StoreUnavailableError
from aeterna.policies.testing import FakeAudit, FakeSigner, FakeVersions
from aeterna.policies.usecases.publishing import Publishing
from aeterna.policies.usecases.retaining import Retention
from aeterna.policies.usecases.seeding import Seeding
from fixtures.fix_policies import MOMENT, PLATFORM, draft, shipped_files

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.policies.domain.audit import Cut


@pytest.mark.anyio
async def test_the_same_version_is_the_same_bytes() -> None:
    """Two processes behind one address must not give a sidecar two documents of one version."""
    versions = FakeVersions()
    await versions.write(draft(files=shipped_files()), deploy=True)

    first, second = Publishing(versions, FakeSigner()), Publishing(versions, FakeSigner())

    assert (await first.signed()).body == (await second.signed()).body
    assert (await first.packed()).body == (await second.packed()).body


@pytest.mark.anyio
async def test_what_is_published_follows_what_is_deployed() -> None:
    versions = FakeVersions()
    publishing = Publishing(versions, FakeSigner())
    with pytest.raises(NothingDeployedError):
        await publishing.signed()
    await versions.write(draft(files=shipped_files()), deploy=True)
    first = await publishing.signed()
    await versions.write(draft("two", base=1, files=shipped_files(b__cedar="// more")), deploy=True)

    assert json.loads(first.body)["version"] == 1
    assert json.loads((await publishing.signed()).body)["version"] == 2


def test_a_key_that_is_replaced_signs_the_next_answer(signing_key_file: Path, tmp_path: Path) -> None:
    signer = KeyFileSigner(signing_key_file)
    before = signer.key_id()
    private, public = new_key()
    signing_key_file.write_bytes(private)
    (tmp_path / "second.pem").write_bytes(public)

    header = signer.sign(b"body")

    assert signer.key_id() != before
    assert verify(public_keys(tmp_path / "second.pem"), header, b"body") == signer.key_id()


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_an_error_that_shows_nothing_of_it(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SigningKeyMissingError) as refused:
        KeyFileSigner(file).sign(b"body")

    assert "secret" not in str(refused.value)


def test_without_a_key_nothing_is_signed() -> None:
    with pytest.raises(SigningKeyMissingError, match="AETERNA_POLICIES_SIGNING_KEY_FILE"):
        KeyFileSigner(None).key_id()


def seeding(versions: FakeVersions) -> Seeding:
    """Return what seeds these versions."""
    return Seeding(versions, CedarCompiler(), lambda: MOMENT, platform=PLATFORM)


@pytest.mark.anyio
async def test_what_sidecars_begin_with_becomes_the_first_version() -> None:
    versions = FakeVersions()

    await seeding(versions).seed(Bundle.of(shipped_files()))

    found = await versions.whole(1)
    assert (found.files, found.version.author, found.version.digest) == (
        shipped_files(),
        "seed",
        Bundle.of(shipped_files()).digest(),
    )
    assert await versions.deployed_number() == 1


@pytest.mark.anyio
async def test_a_seed_does_not_pass_for_analysed() -> None:
    versions = FakeVersions()

    await seeding(versions).seed(Bundle.of(shipped_files()))

    found = await versions.whole(1)
    assert found.version.undecided
    assert [one["kind"] for one in json.loads(found.report)["findings"]] == ["undecided"]


@pytest.mark.anyio
async def test_a_seed_never_changes_what_was_deployed() -> None:
    versions = FakeVersions()
    await versions.write(draft(files={"a.cedar": "ours"}), deploy=True)

    await seeding(versions).seed(Bundle.of(shipped_files()))

    assert await versions.deployed_number() == 1
    assert len(await versions.versions(PLATFORM, before=None, limit=9)) == 1


@pytest.mark.anyio
async def test_a_seed_that_is_no_bundle_is_refused() -> None:
    with pytest.raises(BundleInvalidError):
        await seeding(FakeVersions()).seed(Bundle.of(shipped_files(b__cedar="permit (")))


@pytest.mark.anyio
async def test_records_are_kept_for_as_long_as_was_promised() -> None:
    versions = FakeVersions()
    for key, days in (("old", 100), ("older", 91), ("young", 89)):
        await versions.write(draft(key, at=MOMENT - timedelta(days=days)))

    cut = await Retention(versions.audit, lambda: MOMENT, kept=timedelta(days=90)).once()

    assert cut is not None
    assert cut.records == 2
    assert [found.record["act"] for found in versions.audit.links] == ["version.proposed", "audit.cut"]


class AwayOnce(FakeAudit):
    """An audit whose database is away the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def cut(self, before: object, *, at: object) -> Cut | None:
        """Raise, and note that it was asked."""
        del before, at
        self.asked.set()
        raise StoreUnavailableError


@pytest.mark.anyio
async def test_a_database_that_is_away_does_not_end_the_retention() -> None:
    audit = AwayOnce()
    running = asyncio.create_task(Retention(audit, lambda: MOMENT, kept=timedelta(days=90)).run())
    await audit.asked.wait()
    await asyncio.sleep(0)

    assert not running.done()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
