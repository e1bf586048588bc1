"""Whatever fails and whenever: nobody is handed what has ended, nothing is asked in a loop, and all is well again."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.secrets.domain.secret import Grant
from aeterna.secrets.errors import (
    AccessDeniedError,
    RenderError,
    SourceAnswerError,
    SourceFaultError,
    SourceUnavailableError,
)
from fixtures.secret_worlds import LEASED, POLLED, SecretWorld

TROUBLES = st.sampled_from(
    [
        None,
        None,
        None,
        SourceUnavailableError("is sealed"),
        SourceUnavailableError("has too much to do", retry_after=30),
        SourceFaultError(500),
        SourceAnswerError("is not JSON"),
        AccessDeniedError("anything"),
    ]
)
# A lease or all logins are revoked by somebody, a clock is set back, or nobody takes what is handed over.
MISHAPS = ["", "revoke", "forget", "back", "refuse", "refuse"]
SPANS = st.lists(
    st.tuples(TROUBLES, st.sampled_from([1.0, 20.0, 100.0, 400.0]), st.sampled_from(MISHAPS)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(
    spans=SPANS,
    terms=st.sampled_from([(60.0, 200.0), (100.0, 100.0), (300.0, 100_000.0)]),
    login=st.sampled_from([(120.0, 120.0), (90.0, 250.0), (100_000.0, 100_000.0)]),
    chance=st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_whatever_goes_wrong_nobody_has_what_has_ended_and_all_is_well_again(
    spans: list[tuple[SourceUnavailableError | None, float, str]],
    terms: tuple[float, float],
    login: tuple[float, float],
    chance: float,
) -> None:
    asyncio.run(kept(spans, terms, login, chance))


async def kept(
    spans: list[tuple[SourceUnavailableError | None, float, str]],
    terms: tuple[float, float],
    login: tuple[float, float],
    chance: float,
) -> None:
    world = SecretWorld(
        {"database": LEASED, "api": POLLED}, login=Grant(ttl=login[0], renewable=True), random=lambda: chance
    )
    world.source.login_max_ttl = login[1]
    world.source.leased["database/creds/app"] = terms
    taken_by_others: set[str] = set()

    def nobody_has_what_the_source_took_back() -> None:
        assert world.users() <= world.source.lent() | taken_by_others

    world.watch = nobody_has_what_the_source_took_back
    for trouble, seconds, mishap in spans:
        world.source.trouble = trouble
        world.recipient.trouble = RenderError("app.ini", "is wrong") if mishap == "refuse" else None
        taken_by_others |= befall(world, mishap)
        before = len(world.source.calls)
        await world.pass_(seconds)
        assert len(world.source.calls) - before <= 20 + seconds
    world.recipient.trouble = None
    world.source.trouble = None
    await world.pass_(400)

    assert world.handover.complete
    assert world.users() <= world.source.lent()


def befall(world: SecretWorld, mishap: str) -> set[str]:
    """Have something happen; return the leases that somebody took."""
    taken = world.source.lent() if mishap in {"revoke", "forget"} else set[str]()
    if mishap == "forget":
        world.source.forget_logins()
    for id_ in taken:
        world.source.end_lease(id_)
    if mishap == "back":
        world.time.set_wall(-5000)
    return taken
