"""The folder that keeps the bundle in force: what survives in it, and what is refused of it."""

from __future__ import annotations

import errno
import os
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from aeterna.cedar.domain.bundle import Bundle
from aeterna.policy.adapters.sealed_files import FileDamagedError, SealedFiles, seal, unseal
from aeterna.policy.adapters.state_folder import StateFolder
from aeterna.policy.adapters.version_file import VersionFile
from aeterna.policy.errors import StateLockedError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

    from aeterna.policy.domain.publication import Publication

NOW = 1_000.0


def sealed(document: Mapping[str, object], texts: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return a file of ours."""
    return b"".join(seal(document, texts))


def bundle(text: str) -> Bundle:
    """Return a bundle that nobody compiles."""
    return Bundle.of({"a.cedar": text, "s.cedarschema": "schema"})


class Folders:
    """Opens a folder as one process after another would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = NOW
        self._open: StateFolder | None = None

    def restarted(self, files: SealedFiles | None = None) -> StateFolder:
        """Return the folder as a new process finds it."""
        self.close()
        self._open = StateFolder(self.path, clock=lambda: self.now, files=files)
        self._open.claim()
        return self._open

    def close(self) -> None:
        """End the process, so to say."""
        if self._open is not None:
            self._open.close()


@pytest.fixture
def folders(tmp_path: Path) -> Generator[Folders]:
    """Return a folder to be kept."""
    found = Folders(tmp_path / "state")
    yield found
    found.close()


def in_force(folder: StateFolder) -> tuple[int, Bundle]:
    """Return epoch and content of what a folder has in force."""
    current = folder.current()
    assert current is not None
    return current.epoch, folder.bundle(current)


def published(folders: Folders, *texts: str) -> list[Publication]:
    """Publish bundles one after the other."""
    folder = folders.restarted()
    return [folder.publish(bundle(text)) for text in texts]


def test_a_restart_finds_what_was_in_force_and_when_it_was_confirmed(folders: Folders) -> None:
    published(folders, "one", "two")
    folders.now += 60

    current = folders.restarted().current()

    assert current is not None
    assert (current.epoch, current.digest, current.confirmed_at) == (2, bundle("two").digest(), NOW)


def test_epochs_go_on_counting_after_a_restart(folders: Folders) -> None:
    published(folders, "one", "two")

    assert folders.restarted().publish(bundle("three")).epoch == 3


def test_no_more_is_kept_than_the_bundle_in_force_and_the_one_before(folders: Folders) -> None:
    published(folders, "one", "two", "three", "four")

    assert len(list((folders.path / "bundles").iterdir())) == 2


def test_a_reader_sees_what_another_process_publishes(folders: Folders) -> None:
    reader = StateFolder(folders.path, clock=lambda: NOW)
    before = reader.current()
    published(folders, "one", "two")

    assert (before, in_force(reader)) == (None, (2, bundle("two")))


def test_two_keepers_cannot_have_one_folder(folders: Folders) -> None:
    folders.restarted()

    with pytest.raises(StateLockedError, match="a folder of its own"):
        StateFolder(folders.path, clock=lambda: NOW).claim()


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :]


DAMAGES: dict[str, Callable[[bytes, int], bytes]] = {
    "flipped": _flipped,
    "truncated": lambda content, place: content[:place],
    "zeroed behind": lambda content, place: content[:place] + b"\0" * (len(content) - place),
    "with something put in": lambda content, place: content[:place] + b" " + content[place:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_no_byte_of_a_file_can_differ_unnoticed(damage: str) -> None:
    content = sealed({"epoch": 1, "digest": "sha256:0"}, {"a.cedar": "permit", "b.cedar": "förbid", "c.cedar": ""})
    unnoticed: list[int] = []
    for place in range(len(content)):
        try:
            unseal(DAMAGES[damage](content, place))
        except FileDamagedError:
            continue
        unnoticed.append(place)

    assert unnoticed == []


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.99])
def test_a_damaged_bundle_is_refused_and_the_one_before_it_used(damage: str, part: float, folders: Folders) -> None:
    published(folders, "one", "two")
    newest = max((folders.path / "bundles").iterdir())
    content = newest.read_bytes()
    newest.write_bytes(DAMAGES[damage](content, int(part * len(content))))

    assert in_force(folders.restarted()) == (3, bundle("one"))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_a_damaged_pointer_loses_no_bundle_and_no_epoch(damage: str, part: float, folders: Folders) -> None:
    published(folders, "one", "two")
    pointer = folders.path / "published.json"
    content = pointer.read_bytes()
    pointer.write_bytes(DAMAGES[damage](content, int(part * len(content))))

    assert in_force(folders.restarted()) == (3, bundle("two"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 4096,
        b"{}",
        b'{"epoch": 9, "digest": "sha256:0", "confirmed_at": 0}',
        sealed({"format": 2, "epoch": 9, "digest": "sha256:0", "confirmed_at": 0}),
        sealed({"something": "else"}),
    ],
    ids=["empty", "zeros", "json", "unsealed", "of another format", "of another program"],
)
def test_a_foreign_pointer_is_refused(content: bytes, folders: Folders) -> None:
    published(folders, "one")
    (folders.path / "published.json").write_bytes(content)

    assert in_force(folders.restarted())[1] == bundle("one")


def test_a_recovered_bundle_is_as_old_as_it_was(folders: Folders) -> None:
    """What was recovered is not confirmed by that: its source may have another by now."""
    published(folders, "one", "two")
    max((folders.path / "bundles").iterdir()).unlink()
    folders.now += 3600

    current = folders.restarted().current()

    assert current is not None
    assert current.confirmed_at == NOW


def test_where_nothing_is_whole_the_same_bundle_can_be_published_again(folders: Folders) -> None:
    published(folders, "one")
    for file in (folders.path / "bundles").iterdir():
        file.write_bytes(b"")
    folder = folders.restarted()

    folder.publish(bundle("one"))

    assert in_force(folder) == (2, bundle("one"))
    assert in_force(folders.restarted()) == (2, bundle("one"))


def test_a_pointer_that_is_damaged_under_a_reader_leaves_it_what_it_had(folders: Folders) -> None:
    published(folders, "one")
    reader = StateFolder(folders.path, clock=lambda: NOW)
    known = reader.current()
    (folders.path / "published.json").write_bytes(b"{")

    assert [reader.current(), reader.current()] == [known, known]


class FullDisk(SealedFiles):
    """A disk that has no room for a while."""

    def __init__(self) -> None:
        self.full = True

    @override
    def store(self, path: Path, pieces: Sequence[bytes]) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().store(path, pieces)


def test_a_full_disk_keeps_nothing_from_being_in_force(folders: Folders) -> None:
    published(folders, "one")
    folder = folders.restarted(FullDisk())

    folder.publish(bundle("two"))

    assert in_force(folder) == (2, bundle("two"))
    assert (folder.fault, folder.faults) == ("No space left on device", 1)


def test_what_a_full_disk_refused_is_kept_once_there_is_room(folders: Folders) -> None:
    disk = FullDisk()
    folder = folders.restarted(disk)
    folder.publish(bundle("two"))
    disk.full = False

    folder.confirm()

    assert folder.fault is None
    assert in_force(folders.restarted()) == (1, bundle("two"))


def test_a_confirmation_that_a_full_disk_refused_counts_in_this_process(folders: Folders) -> None:
    published(folders, "one")
    folder = folders.restarted(FullDisk())
    folders.now += 10

    folder.confirm()

    current = folder.current()
    assert current is not None
    assert current.confirmed_at == folders.now


@pytest.mark.parametrize("place", ["a/file/in/the/way", "/proc/nowhere"])
def test_a_folder_that_cannot_be_made_is_served_from_memory(place: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    folder = StateFolder(tmp_path / place, clock=lambda: NOW)
    folder.claim()

    folder.publish(bundle("one"))

    assert in_force(folder) == (1, bundle("one"))
    assert folder.fault


def test_leftovers_of_a_crash_do_not_count_and_do_not_stay(folders: Folders) -> None:
    published(folders, "one")
    leftover = folders.path / "bundles" / "0000000009-0123456789abcdef.bundle.new"
    leftover.write_bytes(b"half")
    folder = folders.restarted()

    folder.publish(bundle("two"))

    assert in_force(folder) == (2, bundle("two"))
    assert not leftover.exists()


def test_a_link_in_the_folder_is_not_followed(folders: Folders, tmp_path: Path) -> None:
    """Who can write into the folder could otherwise have us write anywhere."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folders.path.mkdir()
    (folders.path / "bundles").mkdir()
    (folders.path / "published.json.new").symlink_to(victim)
    folder = folders.restarted()

    folder.publish(bundle("one"))

    assert victim.read_text() == "precious"
    assert in_force(folder) == (1, bundle("one"))


def test_texts_are_kept_as_they_are(folders: Folders) -> None:
    """Nothing is escaped, so an operator can read them, and a large one costs no more than its copy."""
    texts = {"a.cedar": 'permit "ü"\n\u2028', "b.cedar": "", "s.cedarschema": "}\n{", "entities.json": '[{"a": "b"}]'}
    folders.restarted().publish(Bundle.of(texts))

    kept = next((folders.path / "bundles").iterdir()).read_bytes()

    assert in_force(folders.restarted())[1].files() == texts
    assert all(text.encode() in kept for text in texts.values())


def test_nobody_else_may_read_what_is_kept(folders: Folders) -> None:
    published(folders, "one")

    modes = {path.stat().st_mode & 0o077 for path in folders.path.rglob("*")}

    assert modes == {0}


def test_the_newest_version_of_each_key_is_remembered(folders: Folders) -> None:
    versions = VersionFile(folders.path)
    for key, version in (("a", 3), ("a", 2), ("b", 1)):
        versions.note(key, version)

    again = VersionFile(folders.path)

    assert [again.last(key) for key in "abc"] == [3, 1, 0]


def test_a_damaged_memory_of_versions_is_begun_anew(folders: Folders) -> None:
    VersionFile(folders.path).note("a", 3)
    (folders.path / "versions.json").write_bytes(b"{")

    assert VersionFile(folders.path).last("a") == 0


def test_files_are_named_by_epoch_and_digest(folders: Folders) -> None:
    """A layout that an operator may look at is a contract."""
    published(folders, "one")

    names = [path.name for path in (folders.path / "bundles").iterdir()]

    assert len(names) == 1
    assert re.fullmatch(r"0000000001-[0-9a-f]{16}\.bundle", names[0])
