"""The webhook's registration: whom it trusts, and which namespaces its selector could ever match.

A webhook that is called for ``kube-system`` and does not answer keeps the cluster from repairing itself, and one that
is called for its own pods never comes back. Labels of namespaces are anybody's, but for the one with their name, which
the API server sets: a selector is safe when it excludes the protected names by that label.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

NAME_LABEL: Final = "kubernetes.io/metadata.name"
SYSTEM_NAMESPACES: Final = ("kube-node-lease", "kube-public", "kube-system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One expression of a label selector; ``operator`` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One webhook of a registration: a selector without requirements matches every namespace."""

    name: str
    bundle: str
    labels: tuple[tuple[str, str], ...] = ()
    requirements: tuple[Requirement, ...] = ()

    def could_match(self, namespace: str) -> bool:
        """Whether a namespace of this name would be matched if it had just the right other labels."""
        named = (*(Requirement(key=key, operator="In", values=(value,)) for key, value in self.labels),)
        return all(_allows(each, namespace) for each in (*named, *self.requirements) if each.key == NAME_LABEL)

    def narrowed(self, protected: tuple[str, ...]) -> Hook:
        """Return it with the protected namespaces excluded by name; the same when they are already."""
        exposed = tuple(each for each in protected if self.could_match(each))
        if not exposed:
            return self
        excluded = Requirement(key=NAME_LABEL, operator="NotIn", values=tuple(sorted(protected)))
        return replace(self, requirements=(*self.requirements, excluded))


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A MutatingWebhookConfiguration, as much of it as the injector keeps."""

    hooks: tuple[Hook, ...]
    version: str

    def exposed(self, protected: tuple[str, ...]) -> tuple[str, ...]:
        """Return the protected namespaces that some hook could be called for."""
        return tuple(each for each in protected if any(hook.could_match(each) for hook in self.hooks))

    def kept(self, bundle: str, protected: tuple[str, ...]) -> Registration:
        """Return it as it should be: every hook with the bundle, and none that could lock out what is protected."""
        return replace(self, hooks=tuple(replace(hook.narrowed(protected), bundle=bundle) for hook in self.hooks))


def protected_namespaces(own: str) -> tuple[str, ...]:
    """Return the namespaces that must never wait for the injector: the system's, and its own."""
    return tuple(sorted({*SYSTEM_NAMESPACES, own}))


def _allows(requirement: Requirement, name: str) -> bool:
    match requirement.operator:
        case "In":
            return name in requirement.values
        case "NotIn":
            return name not in requirement.values
        case "DoesNotExist":
            return False
        case _:
            return True
