"""What a catalog spec promises and refuses, before any cloud is involved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.contracts.catalog import NAMESPACE, CatalogSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.naming import NAME


@given(st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= 40))
def test_a_name_always_makes_a_namespace_that_sql_can_write_without_quotes(name: str) -> None:
    namespace = CatalogSpec(name=name).namespace_name()

    assert NAMESPACE.fullmatch(namespace)


def test_a_namespace_that_is_given_is_taken_as_it_is() -> None:
    assert CatalogSpec(name="acme-graph", namespace="knowledge").namespace_name() == "knowledge"


@pytest.mark.parametrize("namespace", ["", "Knowledge", "know-ledge", "1knowledge", "knowledge_", "k" * 64, "a.b"])
def test_a_namespace_that_some_catalog_refuses_is_refused(namespace: str) -> None:
    with pytest.raises(InvalidSpecError) as refused:
        CatalogSpec(name="acme-graph", namespace=namespace)

    assert refused.value.field == "namespace"
