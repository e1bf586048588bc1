"""What the sidecar needs from outside: sources of secrets, the way into them, and whoever is handed what they gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.secrets.domain.handed import Refusal
    from aeterna.secrets.domain.rendition import FileSpec, Notice, RenderedFile
    from aeterna.secrets.domain.secret import Grant, Lease, Reference, Secret


class SecretSource(Protocol):
    """Gives out secrets. Kept by ``adapters.vault*`` and one adapter per cloud; faked in ``testing``.

    All methods may block, and are called from any thread, one call at a time beside any that was given up because it
    did not end. They raise `SourceUnavailableError` when nothing can be had from the source now (it may say for how
    long), `AccessDeniedError` when the login is not or no longer believed, and `SecretAbsentError` when there is no
    such secret. No error carries a value or a body.
    """

    def fetch(self, reference: Reference) -> Secret:
        """Return the secret as it is now; one that is leased is a new one each time."""
        ...

    def renew(self, lease: Lease, *, ttl: float) -> Grant:
        """Ask for ``ttl`` more seconds from now, and return what was granted; raise `LeaseLostError` if it is gone."""
        ...

    def revoke(self, lease: Lease) -> None:
        """Have the source take a lease back now; one that is gone already is no error."""
        ...


class Session(Protocol):
    """A login at a source, and what can be had by it. The leases that were had by it end with it."""

    @property
    def source(self) -> SecretSource:
        """What can be had by it."""
        ...

    @property
    def grant(self) -> Grant | None:
        """How long it lasts, as it was when logging in; None never ends, as where a driver keeps an identity fresh."""
        ...

    def renew(self, *, ttl: float) -> Grant:
        """Ask for ``ttl`` more seconds from now; raise `AccessDeniedError` when the login is over, or as a source."""
        ...

    def alive(self) -> bool:
        """Say whether the source still knows the login, for when something was denied to it."""
        ...

    def revoke(self) -> None:
        """End the login, and with it every lease had by it."""
        ...


class Entrance(Protocol):
    """The way into a source, by the pod's own identity. Raises what a source raises."""

    def log_in(self) -> Session:
        """Return a new login; may block."""
        ...


class Recipient(Protocol):
    """Who is handed the secrets: the files, and who waits for them. Kept by ``usecases.rendering``.

    Called in the process's loop, one call at a time; a secret that is handed over again has other values than before.
    """

    async def hand_over(self, held: Mapping[str, Secret], changed: frozenset[str]) -> Refusal | None:
        """Take all that is held, of which these changed; return when whoever uses them has them.

        Return what was not taken, or raise `SecretsError` when that is all of it: then what was held before stays in
        use, nothing of it is revoked, and this is called again later.
        """
        ...

    async def withdraw(self, names: frozenset[str]) -> None:
        """Take these away from whoever uses them, and everything that was made of them; does not raise."""
        ...


class Wiping(Protocol):
    """Whoever wrote secrets down and removes them at the end. Kept by ``usecases.rendering``."""

    async def end(self) -> None:
        """Remove all of them; does not raise."""
        ...


class Templates(Protocol):
    """Makes text of secrets. Kept by ``adapters.jinja_templates``; faked in ``testing``."""

    def needs(self, spec: FileSpec) -> frozenset[str]:
        """Return the names that a template uses; raise `ConfigurationInvalidError` when it is none."""
        ...

    def render(self, spec: FileSpec, held: Mapping[str, Secret]) -> bytes:
        """Return the content, or raise `RenderError`, in which no value shows."""
        ...


class Volume(Protocol):
    """The folder that the application reads. Kept by ``adapters.memory_volume``; faked in ``testing``.

    All methods may block, and are called from any thread, one call at a time. They raise `FolderRefusedError`.
    """

    def clear(self) -> None:
        """Overwrite and remove everything that this or an earlier process of ours wrote; check the folder first."""
        ...

    def switch(self, files: Mapping[str, RenderedFile]) -> None:
        """Have exactly these files from now on, all in one step; readers of those before may end."""
        ...

    def sweep(self, *, overwrite: bool) -> None:
        """Remove what was switched away from; with ``overwrite``, whoever still reads it reads zeros."""
        ...


class Messenger(Protocol):
    """Tells the application that files have changed. Kept by ``adapters.messenger``; faked in ``testing``."""

    async def tell(self, notice: Notice) -> None:
        """Tell once, within seconds, and nothing of any value; raise `NoticeFailedError`."""
        ...
