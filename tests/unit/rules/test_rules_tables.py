"""What the clouds tell the rules is true of their providers' schemas, and the rules do look there."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from aeterna.synth.rules.evaluation import Evaluation
from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.packs import facts_of, installed
from aeterna.synth.rules.subject import steps_of
from fixtures.rule_documents import Place, resource_for, ways
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.synth.rules.packs import Pack

Json: TypeAlias = Any  # a schema, and a document, are JSON
TODAY = date(2026, 11, 22)
META = frozenset({"lifecycle"})
"""Terraform's own arguments, which no schema names."""
NOT_TAGS = frozenset({"aws_autoscaling_group_tag", "google_monitoring_notification_channel"})
"""What these call tags or labels is something else."""
PACKS = installed()
CLOUDS = [pack for pack in PACKS if pack.facts]

of_each_cloud = pytest.mark.parametrize("cloud", CLOUDS, ids=lambda pack: pack.name)


def places(cloud: Pack, *, alone: bool = False) -> Iterator[Place]:
    """Yield every place that a cloud's table names; ``alone`` leaves out those with another way to say the same."""
    assert cloud.facts is not None
    for terraform_type, said in cloud.facts.guarded.items():
        for topic, requirements in said.items():
            for requirement in requirements:
                settings = ways(requirement)
                for setting in settings if len(settings) == 1 or not alone else ():
                    yield Place(cloud=cloud.name, type=terraform_type, topic=topic, setting=setting)


def findings(place: Place, document: Mapping[str, Json]) -> list[str]:
    """Return what is said about the place's own path."""
    path = place.setting.path.replace("?", "")
    report = Evaluation(packs=PACKS, today=TODAY).of_documents({"main": document})
    return [finding.message for finding in report.findings if f"`{path}`" in finding.message]


@cache
def schemas(cloud: str) -> dict[str, Json]:
    """Return the committed schemas of a cloud, by type."""
    found: dict[str, Json] = {}
    for file in (ROOT / "constructs" / cloud / "schema").glob("*.json"):
        types = json.loads(file.read_text("utf-8"))["resource_schemas"]
        found |= {name: schema["block"] for name, schema in types.items()}
    return found


def is_known(block: Json, path: str) -> bool:
    """Say whether a block has an argument at a path."""
    found = block
    for step in steps_of(path):
        if step.name in META:
            return True
        attributes, blocks = found.get("attributes", {}), found.get("block_types", {})
        if step.name in blocks:
            found = blocks[step.name]["block"]
        elif step.name in attributes:
            found = {"attributes": _fields(attributes[step.name]["type"])}
        else:
            return False
    return True


def _fields(kind: Json) -> dict[str, Json]:
    """Return the fields of an object, however many lists it is in; anything else has none."""
    match kind:
        case ["list" | "set", inner]:
            return _fields(inner)
        case ["object", fields]:
            return {name: {"type": inner} for name, inner in fields.items()}
        case _:
            return {}


@of_each_cloud
def test_every_place_that_a_table_names_is_in_the_schema(cloud: Pack) -> None:
    """A path with a slip in it would find every resource wrong, or none."""
    known = schemas(cloud.name)

    asked = [
        (terraform_type, path)
        for place in places(cloud)
        for terraform_type, path in (
            (place.setting.on.type if place.setting.on else place.type, place.setting.path),
            *((place.type, condition.path) for condition in place.setting.when),
            *((other.type, other.by) for other in (*place.setting.unless, place.setting.on) if other),
        )
    ]

    assert [(name, path) for name, path in asked if name in known and not is_known(known[name], path)] == []


@of_each_cloud
def test_a_weaker_value_is_found(cloud: Pack) -> None:
    assert [
        str(place)
        for place in places(cloud, alone=True)
        if not findings(place, resource_for(place, place.setting.wants.weaker))
    ] == []


@of_each_cloud
def test_nothing_at_all_is_found_unless_the_default_is_as_good(cloud: Pack) -> None:
    assert [
        str(place)
        for place in places(cloud, alone=True)
        if bool(findings(place, resource_for(place, said=False))) == place.setting.absent_is_right
    ] == []


@of_each_cloud
def test_the_right_value_is_not_found(cloud: Pack) -> None:
    assert [
        str(place) for place in places(cloud) if findings(place, resource_for(place, place.setting.wants.right))
    ] == []


@of_each_cloud
def test_what_is_known_only_at_apply_is_not_found(cloud: Pack) -> None:
    """It may be right; what is wrong with it, a check of the plan has to find."""
    assert [str(place) for place in places(cloud) if findings(place, resource_for(place, "${var.known_later}"))] == []


def test_every_topic_is_told_of_by_some_cloud() -> None:
    assert {place.topic for cloud in CLOUDS for place in places(cloud)} == set(Topic)


@of_each_cloud
def test_every_type_that_takes_tags_is_in_the_table(cloud: Pack) -> None:
    assert cloud.facts is not None
    taking = {
        name
        for name, block in schemas(cloud.name).items()
        for argument in ("tags", "labels", "resource_labels", "user_labels")
        if block.get("attributes", {}).get(argument, {}).get("type") == ["map", "string"]
        and block["attributes"][argument].get("optional")
    }

    assert {name for name in taking if name.split("_")[0] in cloud.facts.providers} - NOT_TAGS <= set(cloud.facts.tags)


@of_each_cloud
def test_every_name_with_a_limit_is_in_the_schema(cloud: Pack) -> None:
    assert cloud.facts is not None
    known = schemas(cloud.name)

    assert [
        (terraform_type, name.path)
        for terraform_type, names in cloud.facts.names.items()
        for name in names
        if terraform_type in known and not is_known(known[terraform_type], name.path)
    ] == []


def test_no_two_clouds_speak_of_the_same_types() -> None:
    assert sum(len(cloud.facts.providers) for cloud in CLOUDS if cloud.facts) == len(facts_of(CLOUDS))
