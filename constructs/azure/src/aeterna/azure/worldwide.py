"""Names of hosts and accounts that are unique in all of Azure: a readable part, and a digest that is this place's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.azure.names import DIGEST, LONGEST_ACCOUNT, plain, require_longest
from aeterna.synth.expressions import Fn

if TYPE_CHECKING:
    from aeterna.azure.place import AzurePlace


def worldwide(name: str, *, place: AzurePlace, named: tuple[str, str], longest: int, service: str) -> str:
    """Return ``name-digest``. Raises `InvalidSpecError` when it would be longer than the service takes.

    Servers and caches are hosts below a domain of Azure's own, where somebody else may have the plain name already.
    ``named`` is the spec and its field, for the error.
    """
    spec, field = named
    room = longest - DIGEST - 1
    require_longest(spec, field, name, longest=room, service=f"{service}, beside a digest,")
    return f"{name}-{place_digest(name, place)}"


def worldwide_account(name: str, *, place: AzurePlace) -> str:
    """Return the name of a storage account: as much of ``name`` as fits, and the digest of all of it."""
    return f"{plain(name)[: LONGEST_ACCOUNT - DIGEST]}{place_digest(name, place)}"


def place_digest(name: str, place: AzurePlace) -> str:
    """Return the digest of a name in this subscription, group and region; the same every time."""
    where = Fn.join("/", [place.subscription_id, place.label, place.location, name])
    return Fn.substr(Fn.sha256(where), 0, DIGEST)
