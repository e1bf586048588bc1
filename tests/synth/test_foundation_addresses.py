"""Addresses are a public contract: a rename without a ``moved`` replaces somebody's database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from synth.record_addresses import FOLDER, addresses_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aeterna.synth.testing import Json
    from fixtures.resource_graph import Joined

RENAMED = {
    "aws_vpc_security_group_ingress_rule.Cache_Clients_Client0_73FC25A5": (
        "aws_vpc_security_group_ingress_rule.Admission_IntoCache_Client0_F8BAA6E2"
    ),
    "aws_vpc_security_group_ingress_rule.Database_Clients_Client0_1DA6E157": (
        "aws_vpc_security_group_ingress_rule.Admission_IntoDatabase_Client0_3F9C9D2A"
    ),
}
"""What has another address since a foundation is several stacks: who may reach a store is decided by the cluster's."""


def recorded(name: str) -> set[str]:
    return set(json.loads((FOLDER / name).read_text()))


def names(part: str) -> list[str]:
    return sorted(path.stem for path in (FOLDER / part).glob("*.json"))


def differences(before: set[str], after: set[str], moved: set[str]) -> dict[str, list[str]]:
    return {"went away without a moved": sorted(before - after - moved), "new, so record it": sorted(after - before)}


def moved_in(document: Json) -> set[str]:
    return {step["from"] for step in document.get("moved", [])}


UNCHANGED: dict[str, list[str]] = {"went away without a moved": [], "new, so record it": []}


def test_a_rename_is_noticed_unless_it_says_where_the_resource_went() -> None:
    renamed: Json = {"resource": {"aws_vpc": {"New": {}}}}
    moved: Json = {**renamed, "moved": [{"from": "aws_vpc.Old", "to": "aws_vpc.New"}]}

    for document, gone in ((renamed, ["aws_vpc.Old"]), (moved, [])):
        found = differences({"aws_vpc.Old"}, set(addresses_of(document)), moved_in(document))

        assert found == {"went away without a moved": gone, "new, so record it": ["aws_vpc.New"]}


@pytest.mark.parametrize("name", names("critical"))
def test_every_address_of_a_foundation_that_may_have_been_applied_is_still_there(
    name: str, critical_of: Callable[[str], Joined]
) -> None:
    """After a change that was meant: ``python -P tests/synth/record_addresses.py``."""
    cloud, _, layer = name.partition("-")
    document = critical_of(cloud).layers[layer]

    found = differences(recorded(f"critical/{name}.json"), set(document.addresses()), moved_in(document.json))

    assert found == UNCHANGED


def test_every_layer_of_every_cloud_is_recorded(critical: Joined) -> None:
    (cloud,) = {critical.layers["cluster"].outputs()["foundation"]["value"]["cloud"]}

    assert {f"{cloud}-{layer}" for layer in critical.layers} <= set(names("critical"))


@pytest.mark.parametrize("name", names("examples"))
def test_every_address_of_an_example_that_may_have_been_applied_is_still_there(
    name: str, synthesized_examples: Path
) -> None:
    document: Json = json.loads((synthesized_examples / "stacks" / name / "cdk.tf.json").read_text())
    after = set(addresses_of(document))

    assert differences(recorded(f"examples/{name}.json"), after, moved_in(document)) == UNCHANGED


def test_every_example_is_recorded(synthesized_examples: Path) -> None:
    assert sorted(path.name for path in (synthesized_examples / "stacks").iterdir() if path.is_dir()) == names(
        "examples"
    )


def test_what_one_state_held_is_in_one_of_several(synthesized_examples: Path) -> None:
    """An environment of the first version is one state. ``docs/guide/stacks.md`` says how to take it apart."""
    layers = [recorded(f"examples/{name}.json") for name in names("examples") if name.startswith("prod-eu-")]
    managed = {address for address in recorded("before/prod-eu.json") if not address.startswith("data.")}

    homes = {address: sum(RENAMED.get(address, address) in layer for layer in layers) for address in managed}

    assert homes == dict.fromkeys(managed, 1)
