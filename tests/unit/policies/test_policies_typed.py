"""Cedar's schemas as types, and its policies as trees."""

from __future__ import annotations

import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.request import Uid
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.adapters.checking import CedarChecker
from aeterna.policies.domain.findings import Place
from aeterna.policies.domain.typed.expressions import (
    WILDCARD,
    And,
    Call,
    Expression,
    GetAttribute,
    HasAttribute,
    IfThenElse,
    Is,
    Like,
    Literal,
    Or,
    RecordOf,
    SetOf,
    Unread,
    Var,
    Variable,
)
from aeterna.policies.domain.typed.policy import Scope
from aeterna.policies.domain.typed.policy_json import policy_of
from aeterna.policies.domain.typed.schema import schema_of
from aeterna.policies.domain.typed.types import Attribute, EntityOf, RecordType, Scalar, SetOfType
from fixtures.policy_trees import trees

SCHEMA = """
// A comment with "quotes".
type Name = String;
@doc("outside any namespace")
entity Org;
namespace Shop::Main {
  type Address = { "street no": Long, city?: Name };
  entity Color enum ["red", "gr\\"een"];
  entity Role in [Role, Org];
  entity User, Bot in Role = {
    name: Name, @doc("where") at?: Address, seen: Set<__cedar::datetime>, favourite: Color, boss?: User,
  } tags Set<ipaddr>;
  entity Org { hidden: __cedar::Bool };
  action all;
  action "look at" in [all], edit in [Action::"look at"] ;
  action view in Action::"look at" appliesTo { principal: [User, Bot], resource: Color, context: Address };
}
""".replace(', edit in [Action::"look at"] ;', ";")


def test_names_are_looked_up_in_the_namespace_first_and_then_outside() -> None:
    user = schema_of(SCHEMA).entity_types["Shop::Main::User"]

    assert user.attributes.get("name") == Attribute(Scalar.STRING)
    assert user.attributes.get("boss") == Attribute(EntityOf("Shop::Main::User"), required=False)
    assert user.attributes.get("seen") == Attribute(SetOfType(Scalar.DATETIME))
    assert user.attributes.get("at") == Attribute(
        RecordType((("city", Attribute(Scalar.STRING, required=False)), ("street no", Attribute(Scalar.LONG)))),
        required=False,
    )
    assert user.tags == SetOfType(Scalar.IPADDR)


def test_a_nearer_type_hides_one_of_the_same_name() -> None:
    assert schema_of(SCHEMA).entity_types["Shop::Main::Role"].parents == ("Shop::Main::Role", "Shop::Main::Org")


def test_types_above_go_all_the_way_up() -> None:
    above = schema_of(SCHEMA).types_above("Shop::Main::User")

    assert above == {"Shop::Main::Role", "Shop::Main::Org"}


def test_an_enumeration_keeps_its_choices_unescaped() -> None:
    assert schema_of(SCHEMA).entity_types["Shop::Main::Color"].choices == ("red", 'gr"een')


def test_a_comment_ends_where_it_ends_for_cedar() -> None:
    """A carriage return ends it: what follows must not be overlooked, or nothing would be compared."""
    schema = schema_of("entity User; // why\raction view appliesTo { principal: User, resource: User };")

    assert [env.action.id for env in schema.environments()] == ["view"]


def test_groups_of_actions_go_all_the_way_up() -> None:
    assert schema_of(SCHEMA).groups_above(Uid("Shop::Main::Action", "view")) == {
        Uid("Shop::Main::Action", "look at"),
        Uid("Shop::Main::Action", "all"),
    }


def test_an_environment_is_a_principal_type_with_an_action_and_a_resource_type() -> None:
    environments = schema_of(SCHEMA).environments()

    assert [(env.principal_type, env.action.id, env.resource_type) for env in environments] == [
        ("Shop::Main::Bot", "view", "Shop::Main::Color"),
        ("Shop::Main::User", "view", "Shop::Main::Color"),
    ]


@pytest.mark.parametrize(
    ("why", "text", "line"),
    [
        ("syntax that is not known", "entity A;\nactor B;", 2),
        ("a text that ends too early", "entity A\n= {", 2),
        ("a sign that is none of Cedar's", "entity A;\n\n# no;", 3),
    ],
)
def test_a_schema_that_cannot_be_read_is_refused_with_its_line(why: str, text: str, line: int) -> None:
    with pytest.raises(BundleInvalidError) as refused:
        schema_of(text)

    assert refused.value.line == line, why


def condition(body: str) -> Expression:
    (policy,) = trees(f'@id("p") permit (principal, action, resource) when {{ {body} }};')
    return policy.conditions[0].body


PRINCIPAL = Var(Variable.PRINCIPAL)


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("1 + 2 == 3", Call("==", (Call("+", (Literal(1), Literal(2))), Literal(3)))),
        ("principal.a", GetAttribute(PRINCIPAL, "a")),
        (
            'principal has a.b && context["x y"]',
            And(
                (
                    HasAttribute(PRINCIPAL, "a"),
                    HasAttribute(GetAttribute(PRINCIPAL, "a"), "b"),
                    GetAttribute(Var(Variable.CONTEXT), "x y"),
                )
            ),
        ),
        ("true && false && true", And((Literal(True), Literal(False), Literal(True)))),
        ("true || false", Or((Literal(True), Literal(False)))),
        ("if true then 1 else 2", IfThenElse(Literal(True), Literal(1), Literal(2))),
        ('"a" like "x*y\\*"', Like(Literal("a"), ("x", WILDCARD, "y", "*"))),
        (
            'principal is T in G::"g"',
            And((Is(PRINCIPAL, "T"), Call("in", (PRINCIPAL, Literal(Uid("G", "g")))))),
        ),
        ("[1].contains(1)", Call("contains", (SetOf((Literal(1),)), Literal(1)))),
        ("{a: 1}.a", GetAttribute(RecordOf((("a", Literal(1)),)), "a")),
        ('!ip("::1").isIpv6()', Call("!", (Call("isIpv6", (Call("ip", (Literal("::1"),)),)),))),
        ("-principal.a", Call("neg", (GetAttribute(PRINCIPAL, "a"),))),
    ],
)
def test_each_form_of_expression_has_its_node(written: str, tree: Expression) -> None:
    found = condition(written)

    assert flat(found) == flat(tree)


def flat(tree: Expression) -> Expression:
    """Take chains apart: how Cedar nests them to the left or right is no difference of meaning."""
    if not isinstance(tree, And):
        return tree
    parts = tuple(
        inner for part in map(flat, tree.parts) for inner in (part.parts if isinstance(part, And) else (part,))
    )
    return And(parts)


def test_a_chain_of_a_hundred_links_is_one_node() -> None:
    found = condition(" && ".join(["principal.a"] * 100))

    assert isinstance(found, And)
    assert len(found.parts) == 100


def test_a_scope_says_what_its_head_says() -> None:
    (policy,) = trees(
        '@id("p") forbid (principal is T in G::"g", action in [Action::"a", Action::"b"], resource == R::"r");'
    )

    assert policy.principal == Scope(type="T", within=(Uid("G", "g"),))
    assert policy.action == Scope(within=(Uid("Action", "a"), Uid("Action", "b")))
    assert policy.resource == Scope(equal=Uid("R", "r"))


def test_policies_come_by_file_with_place_and_tenant() -> None:
    anything = "permit (principal, action, resource);"
    files = {
        "tenants/acme/x.cedar": f'@id("c") {anything}',
        "a.cedar": f'@id("b") {anything}\n// @id("no")\n\n@id("a") {anything}',
    }

    schema = "entity U, D; action view appliesTo { principal: [U], resource: [D] };"

    found = CedarChecker(CedarCompiler()).check(Bundle(policies=files, schema=schema))

    assert [(policy.id, policy.place, policy.tenant) for policy in found.policies] == [
        ("b", Place(file="a.cedar", line=1), None),
        ("a", Place(file="a.cedar", line=4), None),
        ("c", Place(file="tenants/acme/x.cedar", line=1), "acme"),
    ]


def test_what_is_not_known_of_a_condition_is_kept_as_unread() -> None:
    """Syntax that is newer than this reader must end as undecided, not as a policy without the condition."""
    newer = {"kind": "when", "body": {"quantum": {"arg": {"Value": True}}}}
    scope = {"op": "All"}
    policy = policy_of(
        {
            "effect": "permit",
            "principal": scope,
            "action": scope,
            "resource": scope,
            "conditions": [newer],
            "annotations": {"id": "p"},
        },
        place=Place(file="a.cedar"),
        tenant=None,
        text="",
    )

    assert policy.conditions[0].body == Unread("the expression quantum is not known")
