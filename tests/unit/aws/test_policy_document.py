"""What a policy is once it is rendered, and which policies are refused before IAM would refuse them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.aws.policy_document import EVERYONE, Condition, Principal, Statement, document, sid
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.naming import NAME

READ = Statement(sid="Read", actions=("s3:GetObject",), resources=("arn:aws:s3:::acme/*",))


def test_a_statement_is_rendered_with_only_what_it_says() -> None:
    assert json.loads(document([READ])) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::acme/*"]}
        ],
    }


def test_principals_of_a_kind_stand_together() -> None:
    trust = Statement(
        sid="Trust",
        actions=("sts:AssumeRole",),
        principals=(
            Principal(kind="Service", identifiers=("a.amazonaws.com",)),
            Principal(kind="Service", identifiers=("b.amazonaws.com",)),
            Principal(kind="AWS", identifiers=("arn:aws:iam::1:root",)),
        ),
    )

    (statement,) = json.loads(document([trust]))["Statement"]

    assert statement["Principal"] == {"Service": ["a.amazonaws.com", "b.amazonaws.com"], "AWS": ["arn:aws:iam::1:root"]}
    assert "Resource" not in statement


def test_conditions_of_one_test_stand_together_so_that_all_of_them_hold() -> None:
    guarded = Statement(
        sid="Read",
        actions=("s3:GetObject",),
        resources=("*",),
        conditions=(
            Condition(test="StringEquals", variable="aws:SourceAccount", values=("1",)),
            Condition(test="StringEquals", variable="kms:ViaService", values=("s3.eu-west-1.amazonaws.com",)),
        ),
    )

    (statement,) = json.loads(document([guarded]))["Statement"]

    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ["1"], "kms:ViaService": ["s3.eu-west-1.amazonaws.com"]}
    }


def test_two_tests_of_the_same_kind_on_one_variable_are_refused_because_json_keeps_only_one() -> None:
    tests = tuple(Condition(test="StringEquals", variable="aws:SourceAccount", values=(one,)) for one in ("1", "2"))
    guarded = Statement(sid="Read", actions=("s3:GetObject",), resources=("*",), conditions=tests)

    with pytest.raises(InvalidSpecError, match="alternatives into one condition"):
        document([guarded])


def test_two_statements_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidSpecError, match="occurs twice"):
        document([READ, READ])


def test_an_empty_policy_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="empty"):
        document([])


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("every action of every service", {"actions": ("*",)}),
        ("an action without its service", {"actions": ("GetObject",)}),
        ("no action", {"actions": ()}),
        ("a name that IAM does not take", {"sid": "Read objects"}),
        ("nothing that it is about", {"resources": ()}),
        ("everyone, unconditionally", {"principals": (EVERYONE,)}),
    ],
)
def test_a_statement_is_refused_that_allows(reason: str, changes: dict[str, object]) -> None:
    """``reason`` is the end of the sentence."""
    arguments: dict[str, object] = {"sid": "Read", "actions": ("s3:GetObject",), "resources": ("*",), **changes}

    with pytest.raises(InvalidSpecError):
        Statement(**arguments)  # type: ignore[arg-type]  # rows of a table have no common type


def test_a_condition_or_a_principal_that_names_nothing_is_refused() -> None:
    """IAM would match neither, and a deny would silently never apply."""
    with pytest.raises(InvalidSpecError):
        Condition(test="StringEquals", variable="aws:SourceAccount", values=())
    with pytest.raises(InvalidSpecError):
        Principal(kind="AWS", identifiers=())


@given(st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= 63))
def test_every_name_of_a_store_makes_a_name_that_iam_takes(name: str) -> None:
    statement = Statement(sid=sid("Read", name, "Objects"), actions=("s3:GetObject",), resources=("*",))

    assert statement.sid.isalnum()
