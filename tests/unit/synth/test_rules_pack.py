"""The rules as a whole: each is found, described, mapped and in the guide, and no neutral one knows a cloud."""

from __future__ import annotations

import re
import time
from datetime import date
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.sizes import Size
from aeterna.synth.registry import clouds
from aeterna.synth.rules.evaluation import OF_SUPPRESSIONS, Evaluation
from aeterna.synth.rules.packs import Pack, installed, rules_of
from aeterna.synth.rules.table import as_table
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from aeterna.synth.rules.rule import Rule

PACKS = installed()
RULES = (*rules_of(PACKS), *OF_SUPPRESSIONS)
GUIDE = ROOT / "docs" / "guide" / "rules.md"
CLOUDS_NAMES = re.compile(r"\b(?:aws|amazon|azure|azurerm|gcp|google|microsoft|entra)\b", re.IGNORECASE)


def modules_of(pack: Pack) -> set[str]:
    """Return the rule files of a pack: those of its folder that are not private."""
    name = "aeterna.synth.rules.neutral" if pack.name == "neutral" else f"aeterna.{pack.name}.rules"
    folder = import_module(name)
    return {f"{name}.{found.name}" for found in iter_modules(folder.__path__) if not found.name.startswith("_")}


def test_every_installed_cloud_and_the_platform_have_rules() -> None:
    assert {pack.name for pack in PACKS} == {"neutral", "platform", *clouds()}


def test_there_are_at_least_forty_rules() -> None:
    assert len(rules_of(PACKS)) >= 40


def test_every_rule_has_an_id_of_its_own() -> None:
    assert sorted({rule.id for rule in RULES}) == sorted(rule.id for rule in RULES)


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_file_is_one_rule_and_every_rule_one_file(pack: Pack) -> None:
    """A rule that nobody lists would be kept, tested and never asked."""
    in_files = [import_module(name).RULE for name in modules_of(pack)]

    assert sorted(rule.id for rule in in_files) == sorted(rule.id for rule in pack.rules)


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_a_file_is_named_as_its_rule(pack: Pack) -> None:
    names = {name.rpartition(".")[2]: import_module(name).RULE.id for name in modules_of(pack)}

    assert [
        (name, id_) for name, id_ in names.items() if id_.removeprefix(f"{pack.name}-").replace("-", "_") != name
    ] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_why_and_which_controls_it_helps_to_meet(rule: Rule) -> None:
    assert rule.title
    assert rule.reason.endswith((".", ")."))
    assert all(re.fullmatch(r"\d{1,2}\.\d{1,2}", safeguard) for safeguard in rule.controls.cis)
    assert all(re.fullmatch(r"[A-Z]{2}-\d{1,2}(?:\(\d{1,2}\))?", control) for control in rule.controls.nist)
    assert all(re.fullmatch(r"(?:CC|A|C)\d\.\d", criterion) for criterion in rule.controls.soc2)
    assert rule.controls.cis
    assert rule.controls.nist
    assert rule.controls.soc2


def test_no_neutral_file_names_a_cloud() -> None:
    """A fourth cloud brings facts of its own, and changes nothing here."""
    folder = ROOT / "constructs" / "synth" / "src" / "aeterna" / "synth" / "rules"

    assert [
        (file.name, found[0])
        for file in folder.rglob("*.py")
        for found in CLOUDS_NAMES.finditer(file.read_text("utf-8"))
    ] == []


def test_the_guide_has_the_table_of_the_code() -> None:
    """Written by ``python -P -m aeterna.synth.rules --table``."""
    assert as_table(PACKS) in GUIDE.read_text("utf-8")


def test_a_larger_environment_keeps_every_rule_of_a_smaller_one() -> None:
    asked = [{rule.id for rule in Evaluation(packs=PACKS, today=date(2026, 11, 22), size=size).rules} for size in Size]

    assert asked[0] < asked[1] <= asked[2]


def test_a_stack_of_two_hundred_resources_takes_at_most_fifty_milliseconds() -> None:
    """Each synthesis pays for it. The best of ten is taken: the others paid for what else the machine did."""
    queue = {"name": "queue", "kms_master_key_id": "${aws_kms_key.k.arn}", "tags": {"owner": "a"}}
    text = '{"Statement":[{"Effect":"Allow","Action":["sqs:SendMessage"],"Resource":"arn:aws:sqs:eu-west-1:1:queue"}]}'
    resources = {
        "aws_sqs_queue": {f"q{number}": dict(queue) for number in range(100)},
        "aws_iam_role_policy": {f"p{number}": {"name": "send", "policy": text} for number in range(50)},
        "aws_db_instance": {f"d{number}": {"engine": "postgres", "identifier": "acme"} for number in range(50)},
    }
    evaluation = Evaluation(packs=PACKS, today=date(2026, 11, 22))

    def seconds() -> float:
        started = time.process_time()
        evaluation.of_documents({"main": {"resource": resources}})
        return time.process_time() - started

    assert min(seconds() for _ in range(10)) <= 0.05
