"""Finds the pods that a stack runs, and their containers, whichever resource their template stands in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach
from aeterna.synth.rules.subject import Json, Mark, Subject, as_flag, as_list, as_mapping, is_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aeterna.synth.rules.inventory import Inventory

_TEMPLATE: Final = "spec.template"
_LASTING: Final = ("deployment", "stateful_set", "daemon_set", "daemonset", "replication_controller")
_ENDING: Final = ("job",)
PLACES: Final[dict[str, str]] = {
    **{f"kubernetes_{kind}{version}": _TEMPLATE for kind in (*_LASTING, *_ENDING) for version in ("", "_v1")},
    **{f"kubernetes_cron_job{version}": "spec.job_template.spec.template" for version in ("", "_v1")},
    **{f"kubernetes_pod{version}": "" for version in ("", "_v1")},
}
"""By type, where the template of its pods stands; a pod is its own."""
LASTING: Final = frozenset(f"kubernetes_{kind}{version}" for kind in _LASTING for version in ("", "_v1"))
"""The types whose pods are there to stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of a pod. ``said`` reads it as a rule reads a resource."""

    name: str
    said: Subject
    starts_first: bool
    """Whether it is an init container; one that goes on beside the others is one as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """The pods of one resource. ``said`` reads their spec, ``subject`` is the resource."""

    subject: Subject
    said: Subject
    labels: Json

    def containers(self) -> Iterator[Container]:
        """Yield every container, those that start first as well."""
        for kind in ("container", "init_container"):
            for found in self.said.values(kind):
                for block in filter(None, map(as_mapping, as_list(found))):
                    said = _reading(self.subject, block)
                    name = str(block.get("name", "?"))
                    yield Container(name=name, said=said, starts_first=kind == "init_container")


def pods(inventory: Inventory) -> Iterator[Pod]:
    """Yield the pods of a stack; what is known only at apply is left out."""
    for subject in inventory.subjects:
        place = PLACES.get(subject.type)
        if place is None:
            continue
        for holder in subject.values(place) if place else [subject.arguments]:
            for template in filter(None, map(as_mapping, as_list(holder))):
                read = _reading(subject, template)
                for spec in filter(None, map(as_mapping, as_list(read.value("spec")))):
                    labels = read.value("metadata.labels")
                    yield Pod(subject=subject, said=_reading(subject, spec), labels=labels)


def every_container(inventory: Inventory) -> Iterator[tuple[Pod, Container]]:
    """Yield every container of a stack with its pod."""
    for pod in pods(inventory):
        for container in pod.containers():
            yield pod, container


def known(said: Subject, path: str) -> Json:
    """Return what stands at a path, `Mark.ABSENT` for nothing, `Mark.UNKNOWN` for what is known only at apply."""
    value = said.value(path)
    return Mark.UNKNOWN if is_expression(value) else value


def effective(pod: Pod, container: Container, name: str) -> Json:
    """Return a setting of a security context: the container's own, or else its pod's."""
    own = known(container.said, f"security_context.{name}")
    return known(pod.said, f"security_context.{name}") if own is Mark.ABSENT else own


def is_not(value: Json, *, wanted: bool) -> bool:
    """Say whether a switch is known to be other than it has to be; what is not said is."""
    return value is not Mark.UNKNOWN and as_flag(value) is not wanted


def of_containers(wrong: Callable[[Pod, Container], str | None]) -> Callable[[Inventory], Iterator[Breach]]:
    """Return a check that asks of every container what is wrong with it: a sentence without its name, or None."""

    def check(inventory: Inventory) -> Iterator[Breach]:
        for pod, container in every_container(inventory):
            sentence = wrong(pod, container)
            if sentence is not None:
                yield Breach(subject=pod.subject, sentence=f"container {container.name} {sentence}")

    return check


def of_pods(wrong: Callable[[Pod], str | None]) -> Callable[[Inventory], Iterator[Breach]]:
    """Return a check that asks of every pod what is wrong with it: a sentence, or None."""

    def check(inventory: Inventory) -> Iterator[Breach]:
        for pod in pods(inventory):
            sentence = wrong(pod)
            if sentence is not None:
                yield Breach(subject=pod.subject, sentence=sentence)

    return check


def _reading(subject: Subject, block: Mapping[str, Json]) -> Subject:
    return Subject(address=subject.address, path=subject.path, type=subject.type, arguments=block)
