"""Answers whether a label selector, as Terraform writes one, takes some labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.subject import Json, Mark, Subject, as_list, as_mapping, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def takes(selector: Json, labels: Mapping[str, Json]) -> bool:
    """Say whether a selector takes the labels; one of which something is known only at apply may not, so it does not.

    Nothing at all selects everything, as Kubernetes has it.
    """
    return all(
        _matches(labels, key, wanted)
        for block in as_list(selector)
        for key, wanted in as_mapping(as_mapping(block).get("match_labels")).items()
    ) and all(_meets(labels, each) for block in as_list(selector) for each in _expressions(as_mapping(block)))


def is_everything(selector: Json) -> bool:
    """Say whether a selector names no label at all."""
    return all(
        not as_mapping(block).get("match_labels") and not list(_expressions(as_mapping(block)))
        for block in as_list(selector)
    )


def selector_of(subject: Subject, path: str) -> Json:
    """Return the selector at a path, empty where there is none."""
    found = subject.value(path)
    return {} if isinstance(found, Mark) else found


def _expressions(block: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    for each in as_list(block.get("match_expressions")):
        yield as_mapping(each)


def _matches(labels: Mapping[str, Json], key: str, wanted: Json) -> bool:
    return not is_expression(wanted) and labels.get(key) == wanted


def _meets(labels: Mapping[str, Json], expression: Mapping[str, Json]) -> bool:
    key = str(expression.get("key"))
    values = as_list(expression.get("values"))
    if any(is_expression(value) for value in values):
        return False
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
