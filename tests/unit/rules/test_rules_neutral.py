"""Each neutral rule finds what breaks it, on a cloud that nobody has heard of: that is what neutral means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.synth.rules.facts import Companion, Either, Facts, Name, Setting, Topic, When
from aeterna.synth.rules.grants import Grant, Trust
from aeterna.synth.rules.neutral import PACK
from aeterna.synth.rules.packs import Pack
from aeterna.synth.rules.wanted import TRUE, holding, key, one_of
from fixtures.rule_documents import Case, Json, document, found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.facts import Requirement
    from aeterna.synth.rules.subject import Subject

GRANTS = {
    "everything": Grant(where="`roles`", actions="any", every_action=True, every_resource=True),
    "everything-here": Grant(where="`roles`", actions="any", every_action=True),
    "everyone": Grant(where="`roles`", actions="read", everyone=True),
    "escalate": Grant(where="`roles`", actions="hand out", every_resource=True, escalates=True),
    "escalate-one": Grant(where="`roles`", actions="hand out", escalates=True),
    "administer": Grant(where="`r`", actions="any", every_action=True, every_resource=True, administrator=True),
    "read": Grant(where="`roles`", actions="read"),
}
TRUSTS = {
    "one": Trust(where="`from`", subject="pod", exact=True, audience=True),
    "any": Trust(where="`from`", subject=None, exact=True, audience=True),
    "some": Trust(where="`from`", subject="pod-*", exact=False, audience=True),
    "elsewhere": Trust(where="`from`", subject="pod", exact=True, audience=False),
}


def grants(subject: Subject) -> Iterator[Grant]:
    for role in subject.arguments.get("roles", ()):
        yield GRANTS[role]


def trusts(subject: Subject) -> Iterator[Trust]:
    for name in subject.arguments.get("from", ()):
        yield TRUSTS[name]


def mars(**said: tuple[Requirement, ...]) -> Pack:
    """Return what a cloud on Mars tells of its one type."""
    facts = Facts(
        providers=frozenset({"mars"}),
        guarded={"mars_dome": {Topic[name]: requirements for name, requirements in said.items()}},
        names={"mars_dome": (Name(path="name", longest=8, shortest=2, pattern=r"[a-z]+"),)},
        tags={"mars_dome": "tags"},
        default_tags="default.tags",
        static_keys={"mars_password": "an identity"},
        credentials=frozenset({"password"}),
        grants=grants,
        trusts=trusts,
    )
    return Pack(name="mars", rules=(), facts=facts)


TOPICS = [
    ("an audit finds what nobody wrote down", Topic.LOGS, "audit-logs"),
    ("backups are thrown away too soon", Topic.BACKUPS, "backups-kept"),
    ("a backup is under the cloud's own key", Topic.BACKUP_KEY, "customer-key-backup"),
    ("a cluster's secrets are under the cloud's own key", Topic.CLUSTER_KEY, "customer-key-cluster"),
    ("statistics are under the cloud's own key", Topic.COPY_KEY, "customer-key-copy"),
    ("disks are under the cloud's own key", Topic.DISK_KEY, "customer-key-disk"),
    ("logs are under the cloud's own key", Topic.LOG_KEY, "customer-key-log"),
    ("a store is under the cloud's own key", Topic.STORE_KEY, "customer-key-store"),
    ("a plan may delete it at once", Topic.PROTECTION, "deletion-protected"),
    ("nobody knows who spoke to whom", Topic.FLOW_LOGS, "flow-logs"),
    ("identities cannot open it", Topic.IDENTITY_LOGIN, "identity-login"),
    ("an image is scanned by nobody", Topic.SCANNING, "images-scanned"),
    ("a tag may move", Topic.IMMUTABLE, "immutable-releases"),
    ("data goes with its resource", Topic.KEPT, "kept-on-destroy"),
    ("a deleted key is gone", Topic.KEY_GRACE, "key-grace"),
    ("a key stays for ever", Topic.KEY_ROTATION, "key-rotation"),
    ("logs end too soon", Topic.LOG_DAYS, "log-days"),
    ("what was overwritten is gone", Topic.VERSIONS, "object-versions"),
    ("everybody may connect", Topic.CLIENTS, "open-ingress"),
    ("patches wait for somebody", Topic.UPGRADES, "patches"),
    ("only last night can be restored", Topic.POINT_IN_TIME, "point-in-time"),
    ("the API is on the internet", Topic.PRIVATE_CLUSTER, "private-cluster"),
    ("a machine is on the internet", Topic.PRIVATE_MACHINE, "private-machine"),
    ("objects may be published", Topic.PRIVATE_OBJECTS, "private-objects"),
    ("a store is on the internet", Topic.PRIVATE_STORE, "private-store"),
    ("a password opens it", Topic.STATIC_LOGIN, "static-login"),
    ("plain connections are taken", Topic.TLS, "tls-required"),
    ("an old TLS is taken", Topic.TLS_VERSION, "tls-version"),
    ("pods share the node's identity", Topic.WORKLOAD_IDENTITY, "workload-identity"),
    ("one zone takes it down", Topic.ZONES, "zone-redundant"),
]

DOME = {"name": "olympus", "tags": {"owner": "settlers"}}


def dome(**arguments: object) -> dict[str, Json]:
    return document(mars_dome={**DOME, **arguments})


def provider(**arguments: object) -> dict[str, Json]:
    return {"provider": {"mars": [arguments]}, **dome()}


def output(value: str, **more: object) -> dict[str, Json]:
    return {"output": {"told": {"value": value, **more}}, **dome()}


CASES = [
    Case(
        sentence="a role that may do everything to everything",
        rule="grant-everything",
        wrong=dome(roles=["everything"]),
        right=dome(roles=["everything-here", "administer", "read"]),
    ),
    Case(
        sentence="a role for anybody",
        rule="grant-everyone",
        wrong=dome(roles=["everyone"]),
        right=dome(roles=["read"]),
    ),
    Case(
        sentence="a role that hands out roles everywhere",
        rule="grant-escalates",
        wrong=dome(roles=["escalate"]),
        right=dome(roles=["escalate-one", "administer"]),
    ),
    Case(sentence="a trust in any subject", rule="trust-exact", wrong=dome(**{"from": ["any"]}), right=dome()),
    Case(sentence="a trust in a wildcard", rule="trust-exact", wrong=dome(**{"from": ["some"]}), right=dome()),
    Case(
        sentence="a trust in tokens for others",
        rule="trust-exact",
        wrong=dome(**{"from": ["elsewhere"]}),
        right=dome(**{"from": ["one"]}),
    ),
    Case(
        sentence="drift that no plan shows",
        rule="ignored-changes",
        wrong=dome(lifecycle={"ignore_changes": "all"}),
        right=dome(lifecycle={"ignore_changes": ["size"]}),
    ),
    Case(
        sentence="a command during an apply",
        rule="provisioners",
        wrong=dome(provisioner=[{"local-exec": {"command": "curl"}}]),
        right=dome(provisioner=[]),
    ),
    Case(sentence="a name that is too long", rule="name-length", wrong=dome(name="olympusmons"), right=dome()),
    Case(sentence="a name that is too short", rule="name-length", wrong=dome(name="o"), right=dome()),
    Case(sentence="a name of another form", rule="name-length", wrong=dome(name="Olympus"), right=dome()),
    Case(
        sentence="a name that is too long whatever it ends in",
        rule="name-length",
        wrong=dome(name="olympusmons-${var.suffix}"),
        right=dome(name="ol-${var.suffix}"),
    ),
    Case(
        sentence="an entrance for everybody by its own name",
        rule="open-ingress",
        wrong=dome(ingress={"from": "0.0.0.0/0"}),
        right=dome(ingress={"from": "10.0.0.0/8"}, egress={"to": "0.0.0.0/0"}),
    ),
    Case(
        sentence="an entrance for half the internet",
        rule="open-ingress",
        wrong=dome(ingress={"from": ["128.0.0.0/1"]}),
        right=dome(ingress={"from": ["10.0.0.0/8", "fd00::/8"]}),
    ),
    Case(
        sentence="a password in an environment",
        rule="plain-secret",
        wrong=dome(environment={"DB_PASSWORD": "hunter2"}),
        right=dome(environment={"DB_PASSWORD": "${data.mars_secret.x.value}", "DB_USER": "settler"}),
    ),
    Case(
        sentence="a password as a literal",
        rule="plain-secret",
        wrong=dome(login={"admin_password": "hunter2"}),
        right=dome(login={"admin_password": "${ephemeral.mars_password.x.result}", "password_length": "12"}),
    ),
    Case(
        sentence="a write-only password as a literal",
        rule="plain-secret",
        wrong=dome(password_wo="hunter2"),
        right=dome(password_wo="${ephemeral.mars_password.x.result}", password_wo_version="1"),
    ),
    Case(
        sentence="a private key in a start script",
        rule="secret-pattern",
        wrong=dome(start="cat <<E\n-----BEGIN RSA PRIVATE KEY-----\nMII"),
        right=dome(start="-----BEGIN CERTIFICATE-----"),
    ),
    Case(
        sentence="a token of a code host in a tag",
        rule="secret-pattern",
        wrong=dome(tags={"clone": f"ghp_{'x' * 36}"}),
        right=dome(tags={"clone": "ghp_short"}),
    ),
    Case(
        sentence="a password in an address",
        rule="secret-pattern",
        wrong=dome(url="postgresql://admin:hunter2@db/mars"),
        right=dome(url="postgresql://admin:${var.password}@db/mars", other="https://mars.example/a@b"),
    ),
    Case(
        sentence="a secret in a script that is encoded",
        rule="secret-pattern",
        wrong=dome(user_data="ZXhwb3J0IEtFWT1BS0lBSU9TRk9ETk43RVhBTVBMRQo="),
        right=dome(user_data="IyEvYmluL3NoCg=="),
    ),
    Case(
        sentence="an output of a password",
        rule="secret-output",
        wrong=output("${mars_dome.x.admin_password}"),
        right=output("${mars_dome.x.admin_password}", sensitive=True),
    ),
    Case(
        sentence="an output of a key inside a longer text",
        rule="secret-output",
        wrong=output("key=${mars_dome.x.primary_access_key}"),
        right=output("key=${mars_dome.x.key_id}"),
    ),
    Case(
        sentence="a key that lasts",
        rule="static-key",
        wrong=document(mars_password={"name": "a"}),
        right=dome(),
    ),
    Case(
        sentence="a provider with a password",
        rule="provider-credentials",
        wrong=provider(password="${var.password}"),
        right=provider(region="valles"),
    ),
    Case(sentence="a dome that nobody owns", rule="tagged", wrong=dome(tags={}), right=dome(tags="${var.tags}")),
    Case(
        sentence="a dome without tags, unless the provider adds some",
        rule="tagged",
        wrong=document(mars_dome={"name": "olympus"}),
        right={
            "provider": {"mars": [{"default": {"tags": {"owner": "a"}}}]},
            **document(mars_dome={"name": "olympus"}),
        },
    ),
]


@pytest.mark.parametrize(("sentence", "topic", "rule"), TOPICS, ids=str)
def test_a_rule_asks_about_its_topic(sentence: str, topic: Topic, rule: str) -> None:
    cloud = mars(**{topic.name: (Setting(path="safe", wants=TRUE),)})

    assert found(dome(safe=False), rule, PACK, cloud) == ["`safe` is false; set it to true"]
    assert found(dome(), rule, PACK, cloud) == ["`safe` is not set; set it to true"]
    assert found(dome(safe="true"), rule, PACK, cloud) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_breaks_a_rule_is_found(case: Case) -> None:
    assert len(found(case.wrong, case.rule, PACK, mars())) == 1


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_keeps_a_rule_is_not_found(case: Case) -> None:
    assert found(case.right, case.rule, PACK, mars()) == []


def test_every_neutral_rule_is_tried_here() -> None:
    tried = {rule for _, _, rule in TOPICS} | {case.rule for case in CASES}

    assert tried == {rule.id for rule in PACK.rules}


def test_required_tags_are_each_asked_for() -> None:
    messages = found(dome(), "tagged", PACK, mars(), tags=frozenset({"owner", "cost", "data"}))

    assert messages == ["`tags` lacks cost, data; add it"]


def test_a_type_of_a_cloud_that_is_not_installed_is_left_alone() -> None:
    """The rules that know names and forms alone still look at it; nothing is guessed about the rest."""
    assert found(document(venus_dome={"safe": False}), "tls-required", PACK, mars()) == []


def test_each_of_several_blocks_has_to_be_right() -> None:
    cloud = mars(DISK_KEY=(Setting(path="disk.key", wants=key("cloud/")),))
    disks = [{"key": "${key.x.id}"}, {"size": 3}, {"key": "cloud/own"}]

    assert found(dome(disk=disks), "customer-key-disk", PACK, cloud) == [
        "`disk.key` is cloud/own; set it to a key of yours",
        "`disk.key` is not set; set it to a key of yours",
    ]


def test_a_block_that_is_written_for_each_element_has_to_be_right() -> None:
    cloud = mars(DISK_KEY=(Setting(path="disk.key", wants=key()),))
    dynamic = {"disk": {"for_each": "${var.disks}", "content": {"size": 3}}}

    assert found(dome(dynamic=dynamic), "customer-key-disk", PACK, cloud)


def test_one_of_several_ways_is_enough() -> None:
    ways = Either((Setting(path="a", wants=TRUE), Setting(path="b", wants=TRUE)))
    cloud = mars(TLS=(ways,))

    assert found(dome(b=True), "tls-required", PACK, cloud) == []
    assert found(dome(b=False), "tls-required", PACK, cloud) == ["`a` is not set; set it to true"]


def test_a_companion_speaks_for_the_resource_that_it_points_at() -> None:
    cloud = mars(VERSIONS=(Setting(path="on", wants=TRUE, on=Companion(type="mars_copies", by="dome")),))

    def pointing(at: str) -> dict[str, Json]:
        return document(mars_dome=DOME, mars_copies={"dome": at, "on": True})

    assert found(pointing("${mars_dome.x.id}"), "object-versions", PACK, cloud) == []
    assert found(pointing("${mars_dome.y.id}"), "object-versions", PACK, cloud)
    assert found(pointing("${var.dome}"), "object-versions", PACK, cloud) == []
    assert found(pointing("olympus"), "object-versions", PACK, cloud) == []


def test_a_companion_may_name_a_resource_by_the_same_expression() -> None:
    cloud = mars(VERSIONS=(Setting(path="on", wants=TRUE, on=Companion(type="mars_copies", by="dome")),))
    name = "${random_pet.name.id}"

    assert (
        found(
            document(mars_dome={"name": name}, mars_copies={"dome": name, "on": True}), "object-versions", PACK, cloud
        )
        == []
    )


@pytest.mark.parametrize(
    "expression", ["${a}", 'x-${a.b["c"]}', "${f({a = {b = {}}})}", "%{ if a }b%{ endif }", "$${a}${b}"]
)
def test_an_expression_may_be_right_whatever_stands_in_it(expression: str) -> None:
    cloud = mars(TLS=(Setting(path="tls", wants=TRUE),))

    assert found(dome(tls=expression, name="o" * 5 + expression), "tls-required", PACK, cloud) == []
    assert found(dome(name=f"${{f({{a = {{b = {{c = {'x' * 20}}}}}}})}}"), "name-length", PACK, cloud) == []


def test_a_condition_that_is_known_only_at_apply_is_not_met() -> None:
    only = When(path="kind", is_=one_of("store"))
    cloud = mars(TLS=(Setting(path="tls", wants=TRUE, when=(only,)),))

    assert found(dome(kind="store"), "tls-required", PACK, cloud)
    assert found(dome(kind="${var.kind}"), "tls-required", PACK, cloud) == []
    assert found(dome(kind="cache"), "tls-required", PACK, cloud) == []


def test_a_list_with_something_unknown_in_it_may_be_right() -> None:
    cloud = mars(LOGS=(Setting(path="kinds", wants=holding("audit")),))

    assert found(dome(kinds=["${var.kind}"]), "audit-logs", PACK, cloud) == []
    assert found(dome(kinds=["api"]), "audit-logs", PACK, cloud)


def test_what_is_escaped_is_a_literal() -> None:
    """``$${`` stands for ``${``: a secret behind it is as plain as any."""
    assert found(dome(password="$${hunter2}"), "plain-secret", PACK, mars())
