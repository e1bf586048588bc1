"""What can be concluded about policies: one case for each thing that a solver could get wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aeterna.cedar.domain.request import Uid
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.adapters.confirming import CedarConfirmer
from aeterna.policies.adapters.smt.solver import Z3Solvers
from aeterna.policies.domain.typed.formula import Environment, Example, all_of, any_of, fails, not_, takes_effect
from aeterna.policies.errors import UndecidedError
from fixtures.policy_trees import trees

SCHEMA = """
entity Color enum ["red", "green"];
entity Org;
entity Group in [Group, Org];
entity User in [Group] = {
  flag: Bool, level: Long, name: String, nick?: String, color: Color, boss: User, home: Group, admin?: Group,
  marks: Set<Long>, friends: Set<User>, groups: Set<Group>, nested: Set<Set<Long>>, at: datetime, net: ipaddr,
  price: decimal, span: duration, card: { code: Long, pin?: Long }, cards: Set<{ code: Long, pin?: Long }>,
} tags Set<String>;
entity Doc;
action all;
action base in [all];
action view in [base] appliesTo { principal: [User], resource: [Doc], context: { n: Long, ip?: ipaddr } };
"""
VIEW = Environment(principal_type="User", action=Uid("Action", "view"), resource_type="Doc")
SOLVER = Z3Solvers(timeout=timedelta(seconds=60)).of(SCHEMA)


def asked(condition: str, *, without: str | None = None) -> Example | None:
    """Return a request on which a policy of this condition takes effect, and one of the other condition does not."""
    text = f'@id("p") permit (principal, action, resource) when {{ {condition} }};'
    if without is not None:
        text += f'@id("q") permit (principal, action, resource) when {{ {without} }};'
    policies = trees(text)
    wanted = takes_effect(policies[0])
    return SOLVER.find(VIEW, wanted if without is None else all_of(wanted, not_(takes_effect(policies[1]))))


IMPOSSIBLE = [
    ("what contradicts itself", "principal.flag && !principal.flag"),
    ("a number between two neighbours", "principal.level > 1 && principal.level < 2"),
    ("a number above the greatest", "context.n > 9223372036854775807"),
    ("a sum that overflows", "context.n == 9223372036854775807 && context.n + 1 > 0"),
    ("the negation of the least number", "context.n < -9223372036854775807 && -context.n != 3"),
    ("a string that is two", 'principal.name == "a" && principal.name == "b"'),
    ("an optional attribute that is used where it is not", "!(principal has nick) && principal.nick == principal.nick"),
    ("two patterns that no string has", 'principal.name like "a*" && principal.name like "b*"'),
    ("a string between two lengths of one pattern", 'principal.name like "a*" && !(principal.name like "*a*")'),
    ("a literal that does not match", 'principal.name == "xyz" && principal.name like "a*"'),
    ("a pattern without a star, escaped", 'principal.name like "a\\*" && principal.name != "a*"'),
    ("a third choice of two", 'principal.color != Color::"red" && principal.color != Color::"green"'),
    (
        "a third user of two colours",
        (
            "principal.color != principal.boss.color && principal.boss.color != "
            "principal.boss.boss.color && principal.boss.boss.color != principal.color"
        ),
    ),
    ("above what is above", 'principal in Group::"a" && Group::"a" in Group::"b" && !(principal in Group::"b")'),
    (
        "above what is above, of another type",
        ('principal in Group::"a" && Group::"a" in Org::"o" && !(principal in Org::"o")'),
    ),
    ("above an equal", 'principal.home == Group::"a" && principal.home in Group::"b" && !(Group::"a" in Group::"b")'),
    ("two groups above each other", 'Group::"a" in Group::"b" && Group::"b" in Group::"a"'),
    ("a circle of three", 'Group::"a" in Group::"b" && Group::"b" in Group::"c" && Group::"c" in Group::"a"'),
    ("a user in a user", "principal in principal.boss && principal != principal.boss"),
    ("a group in a user", "principal.home in principal"),
    (
        "in a list and in none of it",
        ('principal in [Group::"a", Group::"b"] && !(principal in Group::"a") && !(principal in Group::"b")'),
    ),
    (
        "in no group of a set that holds one above",
        (
            "principal in principal.home && "
            "principal.groups.contains(principal.home) && !(principal in principal.groups)"
        ),
    ),
    ("in a group of an empty set", "principal in principal.groups && principal.groups.isEmpty()"),
    (
        "an element that is not in the set it is of",
        "principal.marks.containsAll([1, 2]) && !principal.marks.contains(2)",
    ),
    ("an empty set with an element", "principal.marks.isEmpty() && principal.marks.contains(context.n)"),
    (
        "a set with all elements that meets nothing",
        ("principal.marks.containsAll([1]) && ![1, 2].containsAny(principal.marks)"),
    ),
    ("equal sets, written in another order", "principal.marks == [1, 2] && principal.marks != [2, 1, 1]"),
    (
        "subsets of each other that differ",
        (
            "principal.marks.containsAll(principal.boss.marks) && "
            "principal.boss.marks.containsAll(principal.marks) && principal.marks != principal.boss.marks"
        ),
    ),
    ("a set in a set by another writing", "principal.nested.contains([1, 2]) && !principal.nested.contains([2, 1])"),
    (
        "a set in a set by an equal one",
        ("principal.nested.contains(principal.marks) && principal.marks == [1] && !principal.nested.contains([1])"),
    ),
    (
        "records that are equal by their parts",
        ("principal.card == principal.boss.card && principal.card.code != principal.boss.card.code"),
    ),
    (
        "a record without what an equal one has",
        ("principal.card == principal.boss.card && principal.card has pin && !(principal.boss.card has pin)"),
    ),
    (
        "a record in a set by an equal one",
        (
            "principal.cards.contains(principal.card) && "
            "principal.card == principal.boss.card && !principal.cards.contains(principal.boss.card)"
        ),
    ),
    ("a tag that is not there", '!principal.hasTag("a") && principal.hasTag("a")'),
    (
        "tags of equal keys that differ",
        (
            'principal.name == "a" && principal.hasTag("a") && '
            'principal.hasTag(principal.name) && principal.getTag("a") != principal.getTag(principal.name)'
        ),
    ),
    ("an address of both families", "principal.net.isIpv4() && principal.net.isIpv6()"),
    (
        "an address in ranges apart",
        ('principal.net.isInRange(ip("10.0.0.0/8")) && principal.net.isInRange(ip("11.0.0.0/8"))'),
    ),
    (
        "a narrow range outside the wide one",
        ('principal.net.isInRange(ip("10.1.0.0/16")) && !principal.net.isInRange(ip("10.0.0.0/8"))'),
    ),
    ("a loopback that is multicast", "principal.net.isLoopback() && principal.net.isMulticast()"),
    (
        "a decimal between two neighbours",
        ('principal.price.greaterThan(decimal("1.0")) && principal.price.lessThan(decimal("1.0001"))'),
    ),
    ("a time of a day as long as the day", 'principal.at.toTime() >= duration("1d")'),
    ("a date that is no midnight", 'principal.at.toDate().toTime() != duration("0ms")'),
    ("hours that round away from zero", 'principal.span == duration("-90m") && principal.span.toHours() != -1'),
    (
        "a datetime between zones",
        ('principal.at == datetime("2024-01-01T00:00:00+0100") && principal.at != datetime("2023-12-31T23:00:00Z")'),
    ),
    ("a side of an if that is not chosen", "if principal.flag then false else principal.flag"),
    ("an action in a group it is not in", 'action == Action::"base"'),
]
POSSIBLE = [
    ("a sum that does not overflow", "context.n + 1 == 9223372036854775807"),
    ("an error that is never reached", "principal.flag || context.n + 9223372036854775807 == context.n"),
    ("the boss of oneself", "principal.boss == principal"),
    ("groups in a chain", 'principal in Group::"a" && Group::"a" in Group::"b" && Group::"b" in Org::"o"'),
    ("a user of a group and not of the one below", 'principal in Group::"a" && !(Group::"b" in Group::"a")'),
    ("many patterns at once", 'principal.name like "*a*b*" && principal.name like "b*" && !(principal.name like "*b")'),
    (
        "two strings of one pattern",
        ('principal.name like "a*" && principal.boss.name like "a*" && principal.name != principal.boss.name'),
    ),
    (
        "a set in a set",
        (
            "principal.nested.contains([1]) && !principal.nested.contains([2]) && "
            "principal.nested.contains(principal.marks)"
        ),
    ),
    (
        "records in a set",
        (
            "principal.cards.contains(principal.card) && principal.card has pin && "
            "principal.card.pin == 3 && !principal.cards.contains(principal.boss.card)"
        ),
    ),
    ("a friend's group", "principal.friends.contains(principal.boss) && principal.boss in principal.groups"),
    ("tags by two keys", 'principal.hasTag("a") && principal.getTag("a").contains("x") && !principal.hasTag("b")'),
    (
        "an address of version 6",
        "principal.net.isIpv6() && !principal.net.isLoopback() && !principal.net.isMulticast()",
    ),
    (
        "a range, not an address",
        (
            'principal.net.isInRange(ip("10.0.0.0/8")) && !principal.net.isInRange(ip("10.0.0.0/9"))'
            ' && !principal.net.isInRange(ip("10.128.0.0/9"))'
        ),
    ),
    ("a datetime before what can be written", 'principal.at < datetime("0000-01-01")'),
    ("a datetime after what can be written", 'principal.at > datetime("9999-12-31T23:59:59.999Z")'),
    (
        "a negative decimal",
        'principal.price.lessThan(decimal("-0.5")) && principal.price.greaterThan(decimal("-0.5003"))',
    ),
    ("the least duration", 'principal.span < duration("-9223372036854775807ms")'),
    ("an action in a group above its group", 'action in Action::"all"'),
    ("an optional address in the context", "context has ip && context.ip.isMulticast()"),
]


@pytest.mark.parametrize(("why", "condition"), IMPOSSIBLE, ids=[why for why, _ in IMPOSSIBLE])
def test_no_request_is_found_for(why: str, condition: str) -> None:
    assert asked(condition) is None, why


@pytest.mark.parametrize(("why", "condition"), POSSIBLE, ids=[why for why, _ in POSSIBLE])
def test_a_request_that_cedar_confirms_is_found_for(why: str, condition: str) -> None:
    assert asked(condition) is not None, why


def test_a_condition_that_says_more_implies_one_that_says_less() -> None:
    narrow, wide = 'principal in Group::"a" && principal.level > 5', "principal.level > 3"

    assert (asked(narrow, without=wide), asked(wide, without=narrow) is None) == (None, False)


def test_failing_is_neither_taking_effect_nor_being_wrong() -> None:
    text = '@id("p") forbid (principal, action, resource) when { context.n * 2 > 0 };'
    (policy,) = trees(text)

    assert SOLVER.find(VIEW, all_of(fails(policy), takes_effect(policy))) is None
    assert SOLVER.find(VIEW, fails(policy)) is not None
    assert SOLVER.find(VIEW, not_(any_of(fails(policy), takes_effect(policy)))) is not None


def test_an_example_stands_on_its_own() -> None:
    """Whoever is shown it can ask Cedar with nothing but the schema and the policy."""
    text = '@id("p") permit (principal in Group::"a", action, resource) when { principal.boss.boss.name like "x*" };'
    (policy,) = trees(text)
    found = SOLVER.find(VIEW, takes_effect(policy))

    assert found is not None
    assert CedarConfirmer(SCHEMA).fulfils(found.request, takes_effect(policy))


def test_what_is_beyond_the_encoding_is_undecided() -> None:
    """The product of two unknown numbers: z3 may find one, or give up, and must never say that there is none."""
    solver = Z3Solvers(timeout=timedelta(milliseconds=200)).of(SCHEMA)
    text = (
        '@id("p") permit (principal, action, resource) when '
        "{ context.n > 1 && principal.level > 1 && context.n * principal.level == 4611686014132420609 };"
    )
    (policy,) = trees(text)
    try:
        answer = solver.find(VIEW, takes_effect(policy))
    except UndecidedError:
        answer = "undecided"

    assert answer is not None


def test_a_schema_that_cedar_refuses_is_no_bundle() -> None:
    with pytest.raises(BundleInvalidError):
        Z3Solvers().of("entity A in [Nobody];")
