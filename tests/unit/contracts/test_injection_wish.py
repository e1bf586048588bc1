"""What an author asks for is read whole, refused with a remedy, or nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.contracts.injection import Requests, Wish, names, wish
from aeterna.contracts.injection.errors import InjectionError, UnknownAnnotationError
from aeterna.contracts.injection.quantity import amount

CPUS = st.sampled_from([None, "1m", "0.5", "64"])
MEMORIES = st.sampled_from([None, "32Mi", "1Gi", "64000000"])
VERSIONS = st.sampled_from([None, "1.4.0", "latest"])

ANNOTATIONS = sorted({value for value in vars(names).values() if str(value).startswith("aeterna.io/")})


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    """Return a wish that annotations can say."""
    policy = draw(st.booleans())
    secrets = draw(st.booleans()) or not policy
    return Wish(
        policy=policy,
        secrets=secrets,
        secrets_config="app" if secrets else None,
        tenant=draw(st.sampled_from([None, "acme"])),
        version=draw(VERSIONS),
        cache_ttl=draw(st.none() | st.integers(0, 3600)) if policy else None,
        policy_version=draw(VERSIONS) if policy else None,
        secrets_version=draw(VERSIONS) if secrets else None,
        policy_requests=Requests(cpu=draw(CPUS), memory=draw(MEMORIES)) if policy else Requests(),
        secrets_requests=Requests(cpu=draw(CPUS), memory=draw(MEMORIES)) if secrets else Requests(),
    )


@settings(deadline=None)
@given(wished=wishes())
def test_a_wish_is_read_from_the_annotations_that_it_writes(wished: Wish) -> None:
    """At synthesis a wish becomes annotations, and at admission they become the wish again."""
    assert wish(wished.annotations()) == wished


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted({value for value in vars(names).values() if str(value).startswith("aeterna.io/")})),
        st.text(),
    )
)
def test_whatever_is_written_is_a_wish_or_nothing_or_a_refusal(annotations: dict[str, str]) -> None:
    try:
        wished = wish(annotations)
    except InjectionError:
        return
    assert wished is None or wished.policy or wished.secrets


@settings(deadline=None)
@given(st.text(min_size=1))
def test_no_other_annotation_of_our_domain_is_known(name: str) -> None:
    annotation = f"aeterna.io/{name}"
    if annotation in vars(names).values():
        return

    with pytest.raises(UnknownAnnotationError):
        wish({annotation: "x"})


def test_what_the_injection_writes_asks_for_nothing() -> None:
    assert wish({names.STATUS: "injected sha256:0"}) is None


def test_a_message_is_short_however_long_what_it_is_about() -> None:
    with pytest.raises(InjectionError) as refusal:
        wish({names.INJECT: "x" * 100_000})

    assert len(str(refusal.value)) < 400


QUANTITIES = {
    "1": Decimal(1),
    "250m": Decimal("0.25"),
    "0.5": Decimal("0.5"),
    "96Mi": Decimal(96 * 2**20),
    "1G": Decimal(10**9),
    "": None,
    "-1": None,
    "1e3": None,
    "1 Mi": None,
    "Mi": None,
    "٣": None,
}


@pytest.mark.parametrize(("text", "expected"), QUANTITIES.items(), ids=QUANTITIES)
def test_a_quantity_is_read_as_kubernetes_does(text: str, expected: Decimal | None) -> None:
    """Scientific notation is Kubernetes' too, and nobody's here."""
    assert amount(text) == expected
