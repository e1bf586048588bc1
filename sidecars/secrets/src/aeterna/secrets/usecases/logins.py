"""The logins at one source: the one in use, and those before it that secrets still hang on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.secrets.domain.secret import Grant
from aeterna.secrets.domain.term import Term, pause_after
from aeterna.secrets.ports import SecretSource, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.secrets.domain.moment import Moment

# A login that lasted so long was none that its source forgets at once.
_LASTING_SECONDS: Final = 60.0


@dataclass(slots=True, kw_only=True, eq=False)
class Login:
    """A session and how long it lasts; without a term it does not end."""

    session: Session
    term: Term | None

    @property
    def ends(self) -> Moment | None:
        """When it ends, and with it every lease had by it."""
        return self.term.ends if self.term is not None else None


class Unending:
    """The login of a source whose driver keeps the pod's identity fresh by itself; an `Entrance` and its `Session`."""

    grant: Grant | None = None

    def __init__(self, source: SecretSource) -> None:
        self.source = source

    def log_in(self) -> Unending:
        """Return itself."""
        return self

    def renew(self, *, ttl: float) -> Grant:
        """Return what was asked for."""
        return Grant(ttl=ttl, renewable=True)

    def alive(self) -> bool:
        """Say that logging in anew would change nothing."""
        return True

    def revoke(self) -> None:
        """Do nothing."""


class Logins:
    """Which login is in use, when to see to it, and which were before it."""

    def __init__(self, *, now: Callable[[], Moment], random: Callable[[], float]) -> None:
        self._now = now
        self._random = random
        self._failures = 0
        self._losses = 0
        self._began: Moment | None = None
        self._due = now()
        self.current: Login | None = None
        self.before: list[Login] = []

    @property
    def due(self) -> Moment | None:
        """When to log in, to renew the login or to replace it; None while there is nothing to see to."""
        return self._due if self.current is None or self.current.term is not None else None

    def renewable(self) -> Login | None:
        """Return the login in use if what is due is its renewal."""
        login = self.current
        if login is None or login.term is None or not login.term.renewable:
            return None
        return login if self._now().before(login.term.ends) else None

    def began(self, session: Session, *, asked: Moment) -> None:
        """Take a new login in use; the one before it stays until nothing hangs on it."""
        self._began = self._now()
        if self.current is not None:
            self.before.append(self.current)
        grant = session.grant
        term = Term.of(grant, asked=asked, random=self._random) if grant is not None else None
        self.current = Login(session=session, term=term)
        self._done(term)

    def renewed(self, login: Login, grant: Grant, *, asked: Moment) -> None:
        """Note what a renewal of the login granted."""
        if login.term is not None:
            login.term = login.term.renewed(grant, asked=asked, random=self._random)
            self._done(login.term)

    def lost(self) -> None:
        """Note that the source does not know the login in use any more; logging in is due at once.

        Where logins are lost as soon as they began, as behind an address that leads to two clusters by turns, it is due
        after a pause that grows: a source is not to be asked for logins all the time.
        """
        now = self._now()
        if self._began is not None and now.steady - self._began.steady >= _LASTING_SECONDS:
            self._losses = 0
        self._due = now.after(pause_after(self._losses, self._random)) if self._losses else now
        self._losses += 1
        self.current = None

    def taken(self) -> list[Login]:
        """Return every login, and have none any more."""
        found = [*([self.current] if self.current is not None else []), *self.before]
        self.current, self.before = None, []
        return found

    def refused(self) -> float:
        """Note that logging in was refused; return after how many seconds it is tried again."""
        self._failures += 1
        pause = pause_after(self._failures, self._random)
        self._due = self._now().after(pause)
        return pause

    def _done(self, term: Term | None) -> None:
        self._failures = 0
        if term is not None:
            self._due = term.due
