"""What a login is on the wire, how long a connection lives with it, and when it is quiet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.identity.login import Token
from aeterna.relay.adapters.logins import cache_name, login_of
from aeterna.relay.domain.lifetime import Lifetime, Traffic
from aeterna.relay.domain.resp import command, error_kind, login
from aeterna.relay.settings import RelaySettings


def test_a_login_names_the_user_where_there_is_one() -> None:
    assert login("opal", "s3cret") == b"*3\r\n$4\r\nAUTH\r\n$4\r\nopal\r\n$6\r\ns3cret\r\n"
    assert login(None, "s3cret") == b"*2\r\n$4\r\nAUTH\r\n$6\r\ns3cret\r\n"


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_no_word_becomes_a_command_of_its_own(words: list[str]) -> None:
    """Lengths are counted in bytes, and nothing inside a word ends it."""
    rest = command(*words)
    head, _, rest = rest.partition(b"\r\n")
    found: list[str] = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size[1:])
        found.append(rest[:length].decode("utf-8"))
        assert rest[length : length + 2] == b"\r\n"
        rest = rest[length + 2 :]

    assert (head, found) == (b"*%d" % len(words), words)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"-WRONGPASS invalid username-password pair\r\n", "WRONGPASS"),
        (b"-NOAUTH Authentication required.\r\n", "NOAUTH"),
        (b"-ERR\r\n", "ERR"),
        (b"-the token ya29.secret is wrong\r\n", "no error that Redis knows"),
        (b"HTTP/1.1 400 Bad Request\r\n", "no error that Redis knows"),
        (b"", "no error that Redis knows"),
    ],
)
def test_of_a_refusal_only_its_kind_is_told(answer: bytes, kind: str) -> None:
    assert error_kind(answer) == kind


@given(
    st.floats(min_value=0, max_value=2e9),
    st.floats(min_value=-100, max_value=90_000),
    st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_a_connection_never_outlives_its_login(now: float, life: float, luck: float) -> None:
    lifetime = Lifetime.until(now + life, now=now, luck=luck)

    assert lifetime.hard <= max(now, now + life)
    assert now <= lifetime.soft <= lifetime.hard


@pytest.mark.parametrize(("luck", "share"), [(0.0, 0.6), (0.5, 0.7), (1.0, 0.8)])
def test_connections_that_began_together_do_not_end_together(luck: float, share: float) -> None:
    assert Lifetime.until(4600, now=1000, luck=luck).soft == pytest.approx(1000 + share * 3600)


def test_who_waits_for_an_answer_is_not_quiet() -> None:
    traffic = Traffic(at=0.0)
    traffic.sent(1.0)
    waiting = traffic.quiet(100.0, 0.1)
    traffic.answered(100.0)

    assert (waiting, traffic.quiet(100.05, 0.1), traffic.quiet(100.2, 0.1)) == (False, False, True)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("master.orders.abc123.use1.cache.amazonaws.com", "orders"),
        ("replica.orders.abc123.euc1.cache.amazonaws.com", "orders"),
        ("clustercfg.orders-eu.abc123.euc1.cache.amazonaws.com", "orders-eu"),
        ("MASTER.Orders.abc123.use1.cache.amazonaws.com", "orders"),
        ("orders-eu-abc123.serverless.euc1.cache.amazonaws.com", "orders-eu"),
        ("orders.abc123.use1.cache.amazonaws.com", None),
        ("cache.example", None),
        ("10.0.0.7", None),
    ],
)
def test_the_name_of_a_cache_is_read_from_its_host_where_that_tells_it(host: str, name: str | None) -> None:
    """What is signed is the cache's name; a wrong one is a login that is always refused."""
    assert cache_name(host) == name


NOON = 1_800_000_000.0


@pytest.mark.parametrize(
    ("cloud", "seconds"), [("aws", 12 * 3600), ("gcp", 12 * 3600), ("azure", 900)], ids=["aws", "gcp", "azure"]
)
def test_a_login_holds_as_long_as_its_cloud_lets_it(cloud: str, seconds: int) -> None:
    """Only Managed Redis ends a connection with the token that it began with."""
    told = {"cache_host": "master.orders.x.use1.cache.amazonaws.com", "cache_login": cloud, "cache_user": "opal"}
    found, source = login_of(RelaySettings.model_validate(told), clock=lambda: NOON)

    assert source.provider == cloud
    assert found.ends(Token(value="token", expires_at=NOON + 900)) == NOON + seconds
