"""Hands secrets to the application: files that switch together, then waiters on the socket, then signals and calls."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.secrets.domain.handed import Refusal
from aeterna.secrets.domain.rendition import RenderedFile
from aeterna.secrets.domain.shapes import shaped
from aeterna.secrets.errors import ConfigurationInvalidError, FolderRefusedError, NoticeFailedError, RenderError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from aeterna.secrets.domain.handed import Handed
    from aeterna.secrets.domain.rendition import FileSpec, Notice
    from aeterna.secrets.domain.secret import Secret
    from aeterna.secrets.ports import Messenger, Templates, Volume
    from aeterna.secrets.usecases.changes import Changes

# Long enough for whoever has just looked up where the files are to read all of them.
_LINGER: Final = timedelta(seconds=5)
# As many generations as a small volume of memory has room for, of the largest secrets that there are.
_MOST_PUT_OFF: Final = 8
_PAUSES: Final = (0.2, 0.6)
"""Before the second and the third time that somebody is told."""

log = structlog.stdlib.get_logger(__name__)


class Rendering:
    """A `Recipient`. ``declared`` are the names of all secrets; a file that needs others is refused here.

    The volume is memory, so that nothing here waits for it.
    """

    def __init__(
        self,
        files: Sequence[FileSpec],
        *,
        declared: frozenset[str],
        templates: Templates,
        volume: Volume,
        messenger: Messenger,
        changes: Changes,
        counts: Handed,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._needs = {spec.file: _needs(spec, templates, declared) for spec in files}
        self._files = {spec.file: spec for spec in files}
        self._templates = templates
        self._volume = volume
        self._messenger = messenger
        self._changes = changes
        self._counts = counts
        self._sleep = sleep
        self._rendered: dict[str, RenderedFile] = {}
        # And whether a file of theirs has changed, rather than been made for the first time.
        self._untold: dict[Notice, bool] = {}
        self._reached: set[Notice] = set()
        self._sweeping: asyncio.Task[None] | None = None
        self._put_off = 0

    def begin(self) -> None:
        """Remove what a process before this one left; raise `FolderRefusedError` where secrets must not be written."""
        if self._files:
            self._volume.clear()

    async def hand_over(self, held: Mapping[str, Secret], changed: frozenset[str]) -> Refusal | None:
        """See `Recipient.hand_over`; a file that cannot be made keeps its content, and holds no other one up."""
        rendered, unmade = self._render(held)
        altered = {file: file in self._rendered for file, made in rendered.items() if self._rendered.get(file) != made}
        if altered:
            self._switch(rendered)
        for file, rotated in altered.items():
            for notice in self._files[file].on_change:
                self._untold[notice] = self._untold.get(notice, False) or rotated
        self._changes.tell(changed, "handed_over")
        untold = await self._tell()
        failures = [*unmade.values(), *untold.values()]
        if not failures:
            return None
        files = [file for file, spec in self._files.items() if file in unmade or untold.keys() & set(spec.on_change)]
        untaken = self._of(files) & changed
        return Refusal(reason=failures[0], untaken=untaken, stale=self._of(unmade) & untaken)

    def _of(self, files: Iterable[str]) -> frozenset[str]:
        """Return the secrets that these files are made of."""
        return frozenset(name for file in files for name in self._needs[file])

    async def withdraw(self, names: frozenset[str]) -> None:
        """See `Recipient.withdraw`."""
        left = {file: made for file, made in self._rendered.items() if not self._needs[file] & names}
        if left != self._rendered:
            try:
                # First what was there before: a volume that is full has no room for what is left.
                self._volume.sweep(overwrite=True)
                self._switch(left)
                self._volume.sweep(overwrite=True)
            except FolderRefusedError as exc:
                log.critical("secrets.not_wiped", names=sorted(names), reason=str(exc))
        self._changes.tell(names, "withdrawn")

    async def end(self) -> None:
        """Overwrite and remove all files, as the last thing before the process ends; does not raise."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        if not self._files:
            return
        try:
            self._volume.clear()
        except FolderRefusedError as exc:
            log.critical("secrets.not_wiped", reason=str(exc))
        self._rendered = {}

    def _render(self, held: Mapping[str, Secret]) -> tuple[dict[str, RenderedFile], dict[str, RenderError]]:
        """Return all files that can be made of what is held, and what was wrong with those that cannot."""
        rendered: dict[str, RenderedFile] = {}
        failures: dict[str, RenderError] = {}
        for file, spec in self._files.items():
            if not self._needs[file] <= held.keys():
                continue
            try:
                content = (
                    self._templates.render(spec, held) if spec.shape == "template" else shaped(spec, held[spec.secret])
                )
                rendered[file] = RenderedFile(content=content, mode=spec.mode, group=spec.group)
            except RenderError as exc:
                self._counts.render_failures += 1
                failures[file] = exc
                if file in self._rendered:
                    rendered[file] = self._rendered[file]
        return rendered, failures

    def _switch(self, rendered: dict[str, RenderedFile]) -> None:
        try:
            self._volume.switch(rendered)
        except FolderRefusedError:
            self._counts.folder_failures += 1
            raise
        self._rendered = rendered
        self._counts.switches += 1
        self._counts.files = len(rendered)
        self._sweep_later()

    def _sweep_later(self) -> None:
        """Sweep once nothing was switched for a while; what switches all the time must not put that off for ever."""
        pending = self._sweeping is not None and not self._sweeping.done()
        self._put_off = self._put_off + 1 if pending else 0
        if self._put_off > _MOST_PUT_OFF:
            return
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._sweeping = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        await self._sleep(_LINGER.total_seconds())
        try:
            self._volume.sweep(overwrite=False)
        except FolderRefusedError as exc:
            log.warning("secrets.not_swept", reason=str(exc))

    async def _tell(self) -> dict[Notice, NoticeFailedError]:
        """Tell all that are yet to be told; return those that could be told before and now could not.

        One that never could may not run yet, and must not be what its own start waits for.
        """
        failures: dict[Notice, NoticeFailedError] = {}
        for notice, rotated in tuple(self._untold.items()):
            try:
                await self._told(notice, _PAUSES if rotated else ())
            except NoticeFailedError as exc:
                self._counts.notice_failures += rotated
                log.info("secrets.nobody_told", reason=str(exc))
                if notice in self._reached:
                    failures[notice] = exc
                    continue
            else:
                self._counts.notices += 1
                self._reached.add(notice)
            del self._untold[notice]
        return failures

    async def _told(self, notice: Notice, pauses: tuple[float, ...]) -> None:
        for pause in pauses:
            try:
                return await self._messenger.tell(notice)
            except NoticeFailedError:
                await self._sleep(pause)
        return await self._messenger.tell(notice)


def _needs(spec: FileSpec, templates: Templates, declared: frozenset[str]) -> frozenset[str]:
    needed = templates.needs(spec) if spec.shape == "template" else frozenset({spec.secret})
    unknown = sorted(needed - declared)
    if unknown:
        raise ConfigurationInvalidError(f"files: {spec.file}", f"no secret {unknown[0]!r} is declared")
    return needed
