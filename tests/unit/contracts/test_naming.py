"""What a name may look like, and what is said about one that does not fit."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.naming import LONGEST_NAME, NAME, require_between, require_distinct, require_name, suffixed

DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@given(st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= LONGEST_NAME))
def test_every_name_that_is_taken_is_a_dns_label_without_double_hyphens(name: str) -> None:
    require_name("Spec", "name", name)

    assert DNS_LABEL.fullmatch(name)
    assert "--" not in name


@pytest.mark.parametrize(
    "name", ["", "Prod", "1prod", "-prod", "prod-", "prod--eu", "prod_eu", "prod.eu", "pröd", "a b"]
)
def test_a_name_that_some_service_would_refuse_is_refused_here(name: str) -> None:
    with pytest.raises(InvalidSpecError, match="lower-case letters"):
        require_name("Spec", "name", name)


@given(name=st.from_regex(NAME, fullmatch=True), longest=st.integers(20, 64))
def test_a_suffixed_name_never_passes_its_limit(name: str, longest: int) -> None:
    if len(name) + len("-node") > longest:
        with pytest.raises(InvalidSpecError, match=f"at most {longest - len('-node')} characters"):
            suffixed("Spec", "name", name, "node", longest=longest)
    else:
        assert suffixed("Spec", "name", name, "node", longest=longest) == f"{name}-node"


def test_bounds_are_allowed_themselves() -> None:
    require_between("Spec", "days", 7, (7, 30), "days")
    require_between("Spec", "days", 30, (7, 30), "days")

    with pytest.raises(InvalidSpecError, match="use 7 to 30 days"):
        require_between("Spec", "days", 31, (7, 30), "days")


def test_what_is_given_twice_is_named() -> None:
    with pytest.raises(InvalidSpecError, match=r"Spec\.zones: a given more than once"):
        require_distinct("Spec", "zones", ("a", "b", "a"))
