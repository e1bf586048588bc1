"""Whatever fails and whenever: nobody is handed what has ended, nothing is asked in a loop, and all is well again."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.secrets.domain.secret import Grant
from aeterna.secrets.errors import AccessDeniedError, SourceAnswerError, SourceFaultError, SourceUnavailableError
from fixtures.secret_worlds import LEASED, POLLED, SecretWorld

TROUBLES = st.sampled_from(
    [
        None,
        SourceUnavailableError("is sealed"),
        SourceUnavailableError("has too much to do", retry_after=30),
        SourceFaultError(500),
        SourceAnswerError("is not JSON"),
        AccessDeniedError("anything"),
    ]
)
SPANS = st.lists(
    st.tuples(TROUBLES, st.sampled_from([1.0, 20.0, 100.0, 400.0]), st.sampled_from(["", "revoke", "forget", "back"])),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(
    spans=SPANS,
    terms=st.sampled_from([(60.0, 200.0), (100.0, 100.0), (300.0, 100_000.0)]),
    login=st.sampled_from([(90.0, 250.0), (500.0, 500.0), (100_000.0, 100_000.0)]),
    chance=st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_a_kept_source(
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
    for trouble, seconds, mishap in spans:
        world.source.trouble = trouble
        if mishap == "forget":
            world.source.forget_logins()
        for id_ in world.source.lent() if mishap == "revoke" else ():
            world.source.end_lease(id_)
        if mishap == "back":
            world.time.set_wall(-5000)
        before = len(world.source.calls)
        await world.pass_(seconds)
        # Unless somebody revoked it, what is handed out is what the source still knows.
        assert world.users() <= world.source.lent() | set(world.source.revoked)
        assert len(world.source.calls) - before <= 20 + seconds
    world.source.trouble = None
    await world.pass_(400)

    assert world.handover.complete
    assert world.users() <= world.source.lent()
