"""The policy sidecar stands between every caller and every store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.client import DecisionUnavailableError, NodeNotFoundError, PolicyDeniedError, Session, ThreadNotFoundError

if TYPE_CHECKING:
    from fixtures.fix_live_runtime import LiveRuntime


def one_node() -> Session:
    session = Session("one-node")
    session.node("a", kind="Thing")
    return session


def test_a_reader_may_read_and_not_write(live: LiveRuntime, tenant: str) -> None:
    with live.client("writer", tenant=tenant) as writer:
        writer.graph.commit(one_node())
    refused = Session("refused")
    refused.node("b", kind="Thing")

    with live.client("reader", tenant=tenant) as reader:
        assert reader.graph.node("a").node.id == "a"
        with pytest.raises(PolicyDeniedError):
            reader.graph.commit(refused)
        with pytest.raises(PolicyDeniedError):
            reader.threads.open("t")
        with pytest.raises(NodeNotFoundError):
            reader.graph.node("b")


def test_who_has_no_role_may_nothing(live: LiveRuntime, tenant: str) -> None:
    with live.client(tenant=tenant) as nobody, pytest.raises(PolicyDeniedError):
        nobody.graph.statistics()


def test_a_tenant_never_sees_another_tenants_data(live: LiveRuntime, tenant: str) -> None:
    with live.client("admin", tenant=tenant) as owner:
        owner.graph.commit(one_node())
        owner.threads.open("secret").append("user", ["mine"])

    with live.client("admin", tenant=f"{tenant}-other") as other:
        with pytest.raises(NodeNotFoundError):
            other.graph.node("a")
        with pytest.raises(ThreadNotFoundError):
            list(other.threads.get("secret").messages())
        assert list(other.threads.list()) == []


def test_without_the_sidecar_nothing_is_written(own: LiveRuntime, tenant: str) -> None:
    """Doubt is a deny: a decision that cannot be had closes the door, and it opens again with the sidecar."""
    own.up("--no-corpus")
    client = own.client("writer", tenant=tenant)
    client.threads.open("t")
    own.kill("policy")

    with pytest.raises(DecisionUnavailableError):
        client.graph.commit(one_node())
    with pytest.raises(DecisionUnavailableError):
        client.threads.get("t").append("user", ["lost?"])

    own.up("--no-corpus")
    with pytest.raises(NodeNotFoundError):
        client.graph.node("a")
    assert client.threads.get("t").info().last_seq == 0
    assert client.graph.commit(one_node()).repeated is False
    client.close()
