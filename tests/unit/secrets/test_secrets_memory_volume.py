"""The volume: files that switch together, that lead nowhere else, and of which nothing stays."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from aeterna.secrets.adapters.memory_volume import MemoryVolume
from aeterna.secrets.domain.rendition import RenderedFile
from aeterna.secrets.errors import FolderRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def files(**contents: str) -> Mapping[str, RenderedFile]:
    """Return files by name; two underscores are a slash."""
    return {name.replace("__", "/"): RenderedFile(content=text.encode()) for name, text in contents.items()}


def regular(folder: Path) -> dict[str, str]:
    """Return every file that there is anywhere, through no link, with what is in it."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@pytest.fixture
def volume(memory_folder: Path) -> MemoryVolume:
    """Return a volume that is empty."""
    return MemoryVolume(memory_folder)


def test_an_application_reads_each_file_by_its_name(volume: MemoryVolume, memory_folder: Path) -> None:
    volume.switch(files(token="a", app__config__db="b"))

    assert (memory_folder / "token").read_text() == "a"
    assert (memory_folder / "app/config/db").read_text() == "b"


def test_whoever_reads_several_files_reads_them_of_one_moment(volume: MemoryVolume, memory_folder: Path) -> None:
    """Two readers read as fast as they can while the files are switched 200 times."""
    volume.switch(files(a="0", b="0"))
    over, torn, looks = threading.Event(), list[tuple[str, ...]](), [0]

    def read() -> None:
        while not over.is_set():
            at = os.open(memory_folder / "..data", os.O_RDONLY | os.O_DIRECTORY)
            try:
                found = tuple(_read(at, name) for name in ("a", "b"))
            finally:
                os.close(at)
            looks[0] += 1
            if len(set(found)) != 1:
                torn.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(200):
        content = str(number) * 5000
        volume.switch(files(a=content, b=content))
    over.set()
    for reader in readers:
        reader.join()

    assert looks[0] > 0
    assert torn == []


def _read(folder: int, name: str) -> str:
    with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=folder)) as file:
        return file.read()


def test_a_file_that_is_open_is_read_to_its_end_after_it_was_swept(volume: MemoryVolume, memory_folder: Path) -> None:
    volume.switch(files(a="the former"))
    with (memory_folder / "a").open() as reading:
        volume.switch(files(a="the present"))
        volume.sweep(overwrite=False)

        assert reading.read() == "the former"
    assert list(regular(memory_folder).values()) == ["the present"]


def test_what_is_wiped_is_overwritten_before_it_is_removed(volume: MemoryVolume, memory_folder: Path) -> None:
    """Whoever has it open yet reads zeros: what was there is gone from memory, and not only from the folder."""
    volume.switch(files(a="the secret"))
    with (memory_folder / "a").open("rb") as reading:
        volume.clear()

        assert reading.read() == bytes(len("the secret"))
    assert list(memory_folder.iterdir()) == []


def test_a_file_that_is_not_among_the_next_ones_is_gone(volume: MemoryVolume, memory_folder: Path) -> None:
    volume.switch(files(a="1", b__c="2"))

    volume.switch(files(a="1"))
    volume.sweep(overwrite=True)

    assert sorted(path.name for path in memory_folder.iterdir() if not path.name.startswith("..")) == ["a"]
    assert list(regular(memory_folder).values()) == ["1"]


def test_a_process_after_this_one_clears_what_this_one_left(volume: MemoryVolume, memory_folder: Path) -> None:
    volume.switch(files(a="1", b="2"))
    (memory_folder / "..data-next").symlink_to("..0123456789abcdef")
    (memory_folder / "..0123456789abcdef").mkdir()
    (memory_folder / "..0123456789abcdef/half").write_text("written")

    MemoryVolume(memory_folder).clear()

    assert list(memory_folder.iterdir()) == []


def test_what_others_put_into_the_folder_stays(volume: MemoryVolume, memory_folder: Path) -> None:
    (memory_folder / "own").write_text("of the application")
    volume.switch(files(a="1"))

    volume.clear()

    assert regular(memory_folder) == {"own": "of the application"}


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o444, 0o600, 0o640])
def test_a_file_has_its_mode_whatever_the_umask_is(volume: MemoryVolume, memory_folder: Path, mode: int) -> None:
    before = os.umask(0o777)
    try:
        volume.switch({"a/b": RenderedFile(content=b"x", mode=mode)})
    finally:
        os.umask(before)

    assert (memory_folder / "a/b").stat().st_mode & 0o7777 == mode
    assert (memory_folder / "a").stat().st_mode & 0o777 == 0o755


def test_files_keep_the_group_of_the_volume(volume: MemoryVolume, memory_folder: Path) -> None:
    """Kubernetes gives the volume the pod's ``fsGroup`` and sets the bit by which it is passed down."""
    group = max(os.getgroups() or [os.getgid()])
    os.chown(memory_folder, -1, group)
    memory_folder.chmod(0o2770)

    volume.switch(files(app__db="x"))

    assert (memory_folder / "app/db").stat().st_gid == group


def test_a_folder_on_a_disk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderRefusedError, match=r"memory alone \(tmpfs\)"):
        MemoryVolume(tmp_path).switch(files(a="1"))

    assert list(tmp_path.iterdir()) == []


def test_a_folder_on_a_disk_is_taken_when_that_is_allowed(tmp_path: Path) -> None:
    MemoryVolume(tmp_path, anywhere=True).switch(files(a="1"))

    assert (tmp_path / "a").read_text() == "1"


def test_a_folder_of_which_nothing_is_known_is_refused(memory_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderRefusedError, match="unknown file system"):
        MemoryVolume(memory_folder, mounts=tmp_path / "none").clear()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderRefusedError, match="No such file"):
        MemoryVolume(tmp_path / "none").clear()


def test_links_in_the_volume_lead_no_secret_and_no_overwriting_elsewhere(
    volume: MemoryVolume, memory_folder: Path, tmp_path: Path
) -> None:
    """An application that can write to the volume turns everything in it into links to its neighbour's files."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_text("untouched")
    volume.switch(files(a="1", app__b="2"))
    generation = memory_folder / (memory_folder / "..data").readlink()
    (generation / "a").unlink()
    (generation / "a").symlink_to(victim / "file")
    (generation / "app/b").unlink()
    (generation / "app").rmdir()
    (generation / "app").symlink_to(victim)
    (memory_folder / "..ffffffffffffffff").symlink_to(victim)

    volume.switch(files(a="3", app__b="4"))
    volume.sweep(overwrite=True)
    volume.clear()

    assert regular(victim) == {"file": "untouched"}
    assert list(memory_folder.iterdir()) == []


def test_a_place_that_is_taken_by_a_folder_is_refused_and_nothing_is_switched(
    volume: MemoryVolume, memory_folder: Path
) -> None:
    volume.switch(files(a="1"))
    (memory_folder / "b").mkdir()

    with pytest.raises(FolderRefusedError):
        volume.switch(files(a="2", b="3"))

    assert list(regular(memory_folder).values()) == ["1"]
    assert (memory_folder / "a").read_text() == "1"
