"""Tells the application that its secrets have changed: by a signal, or by a call to the pod's own loopback."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aeterna.secrets.domain.rendition import LoopbackCall, ProcessSignal
from aeterna.secrets.errors import NoticeFailedError

if TYPE_CHECKING:
    from aeterna.secrets.domain.rendition import Notice

# Linux numbers no process above 2^22.
_PID: Final = re.compile(rb"\s*([1-9][0-9]{0,6})\s*")
_MOST_BYTES: Final = 64
_INIT: Final = 1
_SECONDS: Final = 2.0
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class PodMessenger:
    """Sends signals and makes calls; starts no program, follows no redirect and goes through no proxy."""

    def __init__(self, *, own_pid: int) -> None:
        self._own_pid = own_pid

    async def tell(self, notice: Notice) -> None:
        """See `Messenger.tell`."""
        if isinstance(notice, ProcessSignal):
            self._signal(notice)
        else:
            await _call(notice)

    def _signal(self, notice: ProcessSignal) -> None:
        whom = f"the process of {notice.pid_file}"
        pid = _pid(notice.pid_file, whom)
        # 1 is the pod's own pause process where processes are shared, and this sidecar where they are not.
        if pid in {_INIT, self._own_pid}:
            raise NoticeFailedError(whom, f"{pid} is not the application's")
        try:
            # A descriptor, so that a number that is given to another process in between gets nothing.
            process = os.pidfd_open(pid)
            try:
                signal.pidfd_send_signal(process, signal.Signals[f"SIG{notice.signal}"])
            finally:
                os.close(process)
        except ProcessLookupError:
            raise NoticeFailedError(whom, f"there is no process {pid}; share the pod's process namespace") from None
        except PermissionError:
            raise NoticeFailedError(whom, "it runs as another user; run both as the same") from None
        except OSError as exc:
            raise NoticeFailedError(whom, exc.strerror or type(exc).__name__) from None


def _pid(path: str, whom: str) -> int:
    try:
        opened = os.open(Path(path), _FILE)
        try:
            content = os.read(opened, _MOST_BYTES)
        finally:
            os.close(opened)
    except OSError as exc:
        raise NoticeFailedError(whom, f"the file: {exc.strerror or type(exc).__name__}") from None
    found = _PID.fullmatch(content)
    if found is None:
        raise NoticeFailedError(whom, "the file does not hold the number of a process")
    return int(found[1])


async def _call(notice: LoopbackCall) -> None:
    import httpx  # noqa: PLC0415 - 2 MB that only those pay who are called

    try:
        # One call a rotation: a connection that is kept would be an old one by the next.
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=_SECONDS) as client,
            # Its answer is not read: it may be endless, and says nothing that is of use here.
            client.stream("POST", notice.url) as answer,
        ):
            status = answer.status_code
    except httpx.HTTPError as exc:
        raise NoticeFailedError(notice.url, type(exc).__name__) from None
    if not httpx.codes.is_success(status):
        raise NoticeFailedError(notice.url, f"it answered {status}")
