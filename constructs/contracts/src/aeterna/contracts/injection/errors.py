"""Why a pod cannot be given sidecars.

AeternaError
└── InjectionError
    ├── UnknownAnnotationError    an annotation of our domain that nobody knows
    ├── InvalidAnnotationError    an annotation whose value cannot be meant
    ├── ConflictingAnnotationsError two annotations that cannot both be meant
    ├── UnknownVersionError       a version of a sidecar that this installation does not have
    ├── ForeignTenantError        a tenant that the pod's namespace is not of
    ├── NoTenancyError            a namespace that is no tenant's
    ├── CollisionError            a name of the pod's own that the injection needs
    ├── MalformedPodError         something that is no pod
    └── InvalidInstallationError  a document that describes no installation
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from aeterna.contracts.errors import AeternaError

if TYPE_CHECKING:
    from collections.abc import Iterable


class InjectionError(AeternaError):
    """A pod cannot be given sidecars."""

    code = "injection.error"


class UnknownAnnotationError(InjectionError):
    """An annotation of our domain is none that we know; most likely it is misspelled, and would do nothing."""

    code = "injection.unknown_annotation"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Name the annotation and those that there are; the closest of them is suggested."""
        names = sorted(known)
        super().__init__(f"annotation {_short(name)} is not known{_meant(name, names)}; there are {', '.join(names)}")
        self.name = name


class InvalidAnnotationError(InjectionError):
    """The value of an annotation cannot be meant."""

    code = "injection.invalid_annotation"

    def __init__(self, name: str, value: str, expected: str) -> None:
        """Name the annotation, its value and what it could have been."""
        super().__init__(f"annotation {name} is {_short(value)}, and must be {expected}")
        self.name = name


class ConflictingAnnotationsError(InjectionError):
    """Annotations contradict each other."""

    code = "injection.conflicting_annotations"

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")


class UnknownVersionError(InjectionError):
    """A pod asks for a version of a sidecar that this installation does not have."""

    code = "injection.unknown_version"

    def __init__(self, name: str, version: str, known: Iterable[str]) -> None:
        """Name the annotation, the version and those that there are."""
        names = sorted(known)
        super().__init__(
            f"annotation {name} asks for version {_short(version)}{_meant(version, names)}; there are"
            f" {', '.join(names)}"
        )
        self.version = version


class ForeignTenantError(InjectionError):
    """A pod says that it works for a tenant, and its namespace is another one's."""

    code = "injection.foreign_tenant"

    def __init__(self, namespace: str, asked: str, tenant: str) -> None:
        super().__init__(
            f"namespace {namespace} is of tenant {tenant}, so its pods cannot be of {_short(asked)}; leave the"
            " annotation out"
        )


class NoTenancyError(InjectionError):
    """A pod's namespace is no tenant's, so nobody could tell whom it works for."""

    code = "injection.no_tenancy"

    def __init__(self, namespace: str) -> None:
        super().__init__(f"namespace {namespace} is of no tenant; add it to a tenant of the platform")


class CollisionError(InjectionError):
    """A pod has something of its own under a name, a port or a path that the injection needs."""

    code = "injection.collision"

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}; {remedy}")


class MalformedPodError(InjectionError):
    """What is to be injected is no pod."""

    code = "injection.malformed_pod"

    def __init__(self, problem: str) -> None:
        super().__init__(f"the pod is malformed: {problem}")


class InvalidInstallationError(InjectionError):
    """A document does not describe an installation."""

    code = "injection.invalid_installation"

    def __init__(self, place: str, problem: str) -> None:
        """Name the place in the document, by keys and dots, and what is wrong there."""
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


_SHOWN = 100


def _short(value: str) -> str:
    """Return a value as it is shown: whole, or its beginning; a message must not be as long as a pod is allowed."""
    return repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}…"


def _meant(name: str, known: list[str]) -> str:
    # Comparing takes time in the product of both lengths.
    closest = get_close_matches(name[:_SHOWN], known, n=1)
    return f" (did you mean {closest[0]}?)" if closest else ""
