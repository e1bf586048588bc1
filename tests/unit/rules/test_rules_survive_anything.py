"""No document makes a rule fail: what it does not understand it leaves alone, and the others are still asked."""

from __future__ import annotations

import json
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from aeterna.synth.rules.evaluation import Evaluation
from aeterna.synth.rules.packs import installed
from aeterna.synth.rules.subject import steps_of
from fixtures.rule_documents import ways

PACKS = installed()
EVALUATION = Evaluation(packs=PACKS, today=date(2026, 11, 22))
GUARDED = {name: said for pack in PACKS if pack.facts for name, said in pack.facts.guarded.items()}
OTHERS = ("aws_iam_role", "aws_iam_policy", "google_project_iam_member", "azurerm_role_assignment", "mars_dome")
NAMES = sorted(
    {
        step.name
        for said in GUARDED.values()
        for requirements in said.values()
        for requirement in requirements
        for setting in ways(requirement)
        for step in steps_of(setting.path)
    }
    | {"dynamic", "content", "policy", "assume_role_policy", "members", "role", "scope", "tags", "name", "statement"}
)
TEXTS = st.sampled_from(
    ["", "x", "${a.b.c}", "${", "$${x}", "{}", '{"Statement": 1}', '{"Statement": [{"Condition": []}]}']
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from([*GUARDED, *OTHERS, *(f"data.{name}" for name in OTHERS)])
ANYTHING = st.dictionaries(TYPES, st.dictionaries(st.sampled_from(["x", "y"]), VALUES, max_size=2), max_size=3)
POLICIES = st.recursive(
    st.sampled_from(["*", "Allow", "sts:AssumeRole", "ec2.amazonaws.com", "${a.b.arn}", 1, None, True]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["Statement", "Effect", "Action", "Resource", "Principal", "Condition", "AWS", "Service", "Bool"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(resources=ANYTHING, provider=VALUES, output=VALUES)
def test_any_document_is_looked_at(resources: dict[str, object], provider: object, output: object) -> None:
    document = {"resource": resources, "provider": {"aws": provider}, "output": {"told": output}}

    assert EVALUATION.of_documents({"main": document}).stacks == ("main",)


@given(policy=POLICIES)
def test_any_policy_is_read(policy: object) -> None:
    arguments = {"policy": json.dumps({"Statement": policy}), "assume_role_policy": json.dumps(policy)}
    document = {
        "resource": {"aws_iam_role": {"x": arguments}, "aws_kms_key": {"x": arguments}},
        "data": {
            "aws_iam_policy_document": {"x": {"statement": policy}},
            "google_iam_policy": {"x": {"binding": policy}},
        },
    }

    assert EVALUATION.of_documents({"main": document}).stacks == ("main",)
