"""When a token is asked for, kept, renewed, and asked for no more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from aeterna.identity.errors import TokenUnavailableError
from aeterna.identity.login import Token, TokenLogin
from aeterna.identity.testing import FakeTokenSource

HOUR = 3600.0


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture
def source(clock: Clock) -> FakeTokenSource:
    """Return a source."""
    return FakeTokenSource(clock=clock)


def login(source: FakeTokenSource, clock: Clock, luck: float = 0.5) -> TokenLogin:
    """Return what is tested."""
    return TokenLogin(source, clock=clock, random=lambda: luck)


def test_a_token_is_kept(source: FakeTokenSource, clock: Clock) -> None:
    kept = login(source, clock)

    assert [kept.password_now() for _ in range(3)] == ["token-1"] * 3
    assert source.asked == 1


@pytest.mark.parametrize(("luck", "share"), [(0.0, 0.6), (0.5, 0.7), (0.999, 0.8)])
def test_a_token_is_renewed_at_a_time_of_each_process_own(
    source: FakeTokenSource, clock: Clock, luck: float, share: float
) -> None:
    """The jitter only shortens: a fifth of its life at least is left for an issuer that is away."""
    kept = login(source, clock, luck)
    kept.password_now()
    clock.now += share * (HOUR - 15) - 5
    before = kept.password_now()
    clock.now += 10

    assert (before, kept.password_now()) == ("token-1", "token-2")


def test_many_who_need_a_token_at_once_ask_once(source: FakeTokenSource, clock: Clock) -> None:
    kept = login(source, clock)
    source.wait.clear()
    with ThreadPoolExecutor(8) as threads:
        given = [threads.submit(kept.password_now) for _ in range(8)]
        source.wait.set()

    assert ({one.result() for one in given}, source.asked) == ({"token-1"}, 1)


def test_while_the_issuer_is_away_the_old_token_serves_until_it_ends(source: FakeTokenSource, clock: Clock) -> None:
    kept = login(source, clock)
    kept.password_now()
    source.failing = True
    clock.now += 0.9 * HOUR
    meanwhile = kept.password_now()
    clock.now += 0.1 * HOUR - 15

    with pytest.raises(TokenUnavailableError, match="AccessDenied"):
        kept.password_now()
    assert meanwhile == "token-1"


def test_an_issuer_that_failed_is_left_alone_for_a_second(source: FakeTokenSource, clock: Clock) -> None:
    """However many connections want one: an outage of the issuer is not made longer by us."""
    source.failing = True
    kept = login(source, clock)
    for _ in range(10):
        with pytest.raises(TokenUnavailableError):
            kept.password_now()
    during = source.asked
    clock.now += 1.0
    source.failing = False

    assert (during, kept.password_now(), kept.failure) == (1, "token-2", None)


def test_a_token_that_may_have_been_refused_is_renewed_but_not_at_once_again(
    source: FakeTokenSource, clock: Clock
) -> None:
    """A database that is down refuses every connection, and must not make us ask for a token each time."""
    kept = login(source, clock)
    kept.password_now()
    kept.doubt()
    at_once = kept.password_now()
    clock.now += 5.0

    assert (at_once, kept.password_now(), kept.password_now()) == ("token-1", "token-2", "token-2")


def test_a_token_does_not_show_itself(clock: Clock) -> None:
    assert "canary" not in repr(Token(value="canary", expires_at=clock()))
