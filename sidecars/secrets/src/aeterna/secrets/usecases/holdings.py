"""What is held at this moment: the secrets that may be used, and none for one second longer than that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.secrets.errors import SecretNotReadyError, SecretUnknownError, SecretWithdrawnError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aeterna.secrets.domain.moment import Moment
    from aeterna.secrets.domain.secret import Secret


class Holdings:
    """Secrets by name, each until the end of its term; written by the keepers, read by the API and the files."""

    def __init__(self, names: Iterable[str], *, now: Callable[[], Moment]) -> None:
        self._names = frozenset(names)
        self._now = now
        self._held: dict[str, tuple[Secret, Moment | None]] = {}
        self._withdrawn: set[str] = set()

    @property
    def names(self) -> frozenset[str]:
        """All that are declared."""
        return self._names

    @property
    def missing(self) -> frozenset[str]:
        """Those that are not held now, because they were not fetched yet or were withdrawn."""
        return self._names - self.current().keys()

    def read(self, name: str) -> Secret:
        """Return a secret; raise `SecretUnknownError`, `SecretNotReadyError` or `SecretWithdrawnError`."""
        if name not in self._names:
            raise SecretUnknownError(name)
        found = self.current().get(name)
        if found is None:
            raise (
                SecretWithdrawnError(name)
                if name in self._withdrawn or name in self._held
                else SecretNotReadyError(name)
            )
        return found

    def current(self) -> Mapping[str, Secret]:
        """Return all that may be used now."""
        now = self._now()
        return {name: secret for name, (secret, ends) in self._held.items() if ends is None or now.before(ends)}

    def ends(self, name: str) -> Moment | None:
        """Return until when a secret may be used; None for one without an end, or that is not held."""
        return self._held[name][1] if name in self._held else None

    def next_end(self) -> Moment | None:
        """Return the earliest end of all that is held."""
        earliest: Moment | None = None
        for _, end in self._held.values():
            earliest = end.earliest(earliest) if end is not None else earliest
        return earliest

    def hold(self, name: str, secret: Secret, *, ends: Moment | None) -> None:
        """Hold a secret until a moment, in the stead of what was held before by that name."""
        self._held[name] = (secret, ends)
        self._withdrawn.discard(name)

    def extend(self, name: str, *, ends: Moment | None) -> None:
        """Hold what is held by that name until another moment; nothing is, once it was dropped."""
        found = self._held.get(name)
        if found is not None:
            self._held[name] = (found[0], ends)

    def ended(self) -> frozenset[str]:
        """Return the names of those whose end has come and that were not dropped yet."""
        return frozenset(self._held.keys() - self.current().keys())

    def drop(self, names: Iterable[str]) -> None:
        """Forget the values of these."""
        for name in names:
            if self._held.pop(name, None) is not None:
                self._withdrawn.add(name)
