"""What an engineer writes arrives unchanged, or is refused with what to write instead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace

import pytest
from constructs import Construct
from hypothesis import given
from hypothesis import strategies as st

from aeterna.aws.l1.data_availability_zones import DataAwsAvailabilityZones
from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.synth._cdk import Precondition, TerraformStack, Token
from aeterna.synth.errors import BrokenTokenError, UnrepresentableValueError
from aeterna.synth.lowering import EXACT, escaped, lower
from aeterna.synth.testing import app


class Mode(StrEnum):
    FAST = "fast"


@dataclass(frozen=True)
class Rule:
    not_: str
    days: int | None = None


STACK = TerraformStack(app(), "main")
VPC = AwsVpc(STACK, "Vpc", cidr_block="10.0.0.0/16")
ZONES = DataAwsAvailabilityZones(STACK, "Zones")
DATABASE = AwsDbInstance(STACK, "Database", instance_class="db.t4g.small")


@pytest.mark.parametrize(
    ("what", "value", "expected"),
    [
        ("a tuple becomes a list", ("a", "b"), ["a", "b"]),
        ("a set becomes a sorted list", frozenset({"b", "a"}), ["a", "b"]),
        ("a path becomes text", Path("/etc/hosts"), "/etc/hosts"),
        ("an enumeration becomes its value", Mode.FAST, "fast"),
        ("a dataclass becomes a block", Rule(not_="x"), {"not": "x"}),
        ("an absent field is left out", {"a": None, "b": {"c": None}}, {"b": {}}),
        ("a boolean stays one", True, True),
        ("a whole number stays one", 7, 7),
        ("a struct of the engine keeps Terraform's names", Precondition(condition="c", error_message="e"),
         {"condition": "c", "error_message": "e"}),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_plain_data_crosses_as_terraform_has_it(what: str, value: object, expected: object) -> None:
    assert lower(value, "x") == expected, what


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("a number beyond 2^53 is rounded by the engine", EXACT + 1),
        ("infinity is no number of Terraform", math.inf),
        ("not a number is none either", math.nan),
        ("bytes have no form", b"x"),
        ("a key that is no string", {1: "x"}),
        ("an object that nobody knows", SimpleNamespace()),
        ("a construct is not a value", Construct(STACK, "Inner")),
        ("a resource is not a value", VPC),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_arrive_changed_is_refused(what: str, value: object) -> None:
    with pytest.raises(UnrepresentableValueError, match=r"^main\.x: "):
        lower({"x": value}, "main")


@pytest.mark.parametrize(
    ("what", "value", "remedy"),
    [
        ("a number in an f-string", f"port {DATABASE.port}", "Token.as_string"),
        ("a list in an f-string", f"zones {ZONES.names}", "Fn.join"),
        ("a list that was indexed", ZONES.names[0], "Fn.element"),
        ("a list that was spread", ["a", *ZONES.names], "Fn.concat"),
        ("a map that was spread", {**VPC.tags_all, "team": "graph"}, "Fn.merge"),
        ("a map in an f-string", f"tags {VPC.tags_all}", "Fn.lookup"),
        ("arithmetic on a number", DATABASE.port * 2, "Op"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("a") else "",
)
def test_a_placeholder_that_was_used_as_if_it_were_known_is_refused(what: str, value: object, remedy: str) -> None:
    """The engine writes each of these as garbage, or fails far from the line that did it."""
    with pytest.raises(UnrepresentableValueError, match=remedy):
        lower(value, "x")


@pytest.mark.parametrize("value", [VPC.id, DATABASE.port, ZONES.names, VPC.tags_all, f"<{VPC.id}>"])
def test_a_placeholder_that_stands_whole_is_carried(value: object) -> None:
    assert lower(value, "x") == value


def test_a_number_may_stand_in_text_as_text() -> None:
    text = f"port {Token.as_string(DATABASE.port)}"

    assert lower(text, "x") == text


def test_an_error_says_where_the_value_is() -> None:
    with pytest.raises(BrokenTokenError, match=r"^aws_vpc\.main\.tags\.zones\[1\]: "):
        lower({"zones": ["a", f"{ZONES.names}"]}, "aws_vpc.main.tags")


@given(st.recursive(st.none() | st.booleans() | st.integers(-EXACT, EXACT) | st.text(), st.lists))
def test_json_without_placeholders_is_its_own_form(value: object) -> None:
    assert lower(value, "x") == value


@given(st.text())
def test_an_escaped_literal_opens_no_template(text: str) -> None:
    assert "${" not in escaped(text).replace("$${", "")
    assert "%{" not in escaped(text).replace("%%{", "")
