"""What a cloud tells the neutral rules about its resources: where each says what a rule wants to know.

A rule knows an idea, such as that a store takes connections over TLS only; a cloud knows that one of its types says so
in an argument of a certain name. Neither knows the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from aeterna.synth.rules.grants import Grant, Trust
from aeterna.synth.rules.subject import Subject
from aeterna.synth.rules.wanted import Wanted


class Topic(StrEnum):
    """What a neutral rule asks about."""

    STORE_KEY = "the key of a store"
    DISK_KEY = "the key of a machine's disks"
    LOG_KEY = "the key of logs"
    CLUSTER_KEY = "the key of a cluster's secrets"
    BACKUP_KEY = "the key of backups"
    COPY_KEY = "the key of what a store derives from its data"
    KEY_ROTATION = "how a key rotates"
    KEY_GRACE = "how long a deleted key can be brought back"
    PRIVATE_STORE = "whether a store has an address on the internet"
    PRIVATE_CLUSTER = "whether a cluster's API has an address on the internet"
    PRIVATE_MACHINE = "whether a machine has an address on the internet"
    PRIVATE_OBJECTS = "whether objects can be made public"
    CLIENTS = "who may connect"
    FLOW_LOGS = "whether a network records its flows"
    TLS = "whether plain connections are refused"
    TLS_VERSION = "the oldest TLS that is accepted"
    ZONES = "whether the loss of a zone is survived"
    PROTECTION = "whether a deletion is refused"
    BACKUPS = "how long backups are kept"
    POINT_IN_TIME = "whether any moment can be restored"
    KEPT = "whether data outlives its resource"
    VERSIONS = "whether older versions are kept"
    STATIC_LOGIN = "whether a lasting secret opens it"
    IDENTITY_LOGIN = "whether the cloud's identities open it"
    WORKLOAD_IDENTITY = "whether pods have identities of their own"
    LOGS = "whether it tells what happens"
    LOG_DAYS = "how long logs are kept"
    UPGRADES = "whether patches arrive by themselves"
    IMMUTABLE = "whether what was released can change"
    SCANNING = "whether images are scanned"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A condition on the same resource; a value that is known only at apply does not meet it."""

    path: str
    is_: Wanted | None = None
    """What has to stand there; None is for nothing at all."""
    absent: bool = False
    """Whether nothing at all meets it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """Another resource that speaks for this one, and the argument by which it points here."""

    type: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One place where a resource, or its companion, says something, and what it has to say there."""

    path: str
    wants: Wanted
    absent_is_right: bool = False
    """Whether leaving it out is as good. Where it is not, what protects has to be written down."""
    on: Companion | None = None
    when: tuple[When, ...] = ()
    unless: tuple[Companion, ...] = ()
    """What makes it another kind of resource by pointing here."""


@dataclass(frozen=True, slots=True)
class Either:
    """Several ways to say the same; one is enough."""

    ways: tuple[Setting, ...]


Requirement: TypeAlias = Setting | Either
Guarded: TypeAlias = Mapping[Topic, tuple[Requirement, ...]]
"""What one type of resource has to say, by what the rules ask about."""

NOTHING_SAID: Final[Guarded] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name of a resource and its limits."""

    path: str
    longest: int
    shortest: int = 1
    pattern: str = ".*"


def no_grants(_subject: Subject) -> Iterable[Grant]:
    """Return that a resource grants nothing."""
    return ()


def no_trusts(_subject: Subject) -> Iterable[Trust]:
    """Return that a resource trusts nobody."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that one cloud tells of its resources."""

    providers: frozenset[str]
    """The prefixes of its types."""
    guarded: Mapping[str, Guarded] = field(default_factory=dict[str, "Guarded"])
    names: Mapping[str, tuple[Name, ...]] = field(default_factory=dict[str, tuple[Name, ...]])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where each type that carries tags carries them."""
    default_tags: str | None = None
    """Where a provider of this cloud carries the tags of everything it makes."""
    static_keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """The types that are a lasting key, and what to use instead."""
    credentials: frozenset[str] = frozenset()
    """The arguments of a provider that hold one."""
    grants: Callable[[Subject], Iterable[Grant]] = no_grants
    trusts: Callable[[Subject], Iterable[Trust]] = no_trusts
