"""One feed at a time, and nothing that would make it unsafe: what the settings of a sidecar may say together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from aeterna.cedar.adapters.directory import read_schema
from aeterna.cedar.errors import BundleUnreadableError
from aeterna.policy.settings import SHIPPED, PolicySettings

URL = "https://policies.example/v1/bundle"
TOKEN = Path("/run/token")
KEYS = Path("/run/keys")


@pytest.mark.parametrize(
    ("given", "feed"),
    [
        ({}, "directory"),
        ({"bundle_url": URL, "bundle_keys": KEYS}, "url"),
        ({"admin_port": 8181, "admin_token_file": TOKEN}, "pushes"),
        ({"admin_socket": Path("/run/admin.sock")}, "pushes"),
    ],
)
def test_what_is_set_says_which_feed_it_is(given: dict[str, object], feed: str) -> None:
    assert PolicySettings.model_validate(given).fed_by == feed


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"bundle_url": URL}, "BUNDLE_KEYS"),
        ({"bundle_url": URL, "bundle_keys": KEYS, "admin_socket": Path("/run/a")}, "two feeds"),
        ({"bundle_url": URL, "bundle_keys": KEYS, "admin_port": 1, "admin_token_file": TOKEN}, "two feeds"),
        ({"admin_port": 8181}, "ADMIN_TOKEN_FILE"),
        ({"admin_port": 1, "admin_token_file": TOKEN, "admin_socket": Path("/run/a")}, "two listeners"),
    ],
)
def test_what_contradicts_itself_or_is_unsafe_is_refused(given: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        PolicySettings.model_validate(given)


@pytest.mark.parametrize(
    ("given", "bound"),
    [
        ({}, timedelta(days=1)),
        ({"bundle_url": URL, "bundle_keys": KEYS}, timedelta(days=1)),
        ({"admin_socket": Path("/run/a"), "opal_url": "http://127.0.0.1:7000"}, timedelta(days=1)),
        ({"admin_socket": Path("/run/a")}, None),
        ({"admin_socket": Path("/run/a"), "max_age": 60}, timedelta(minutes=1)),
        ({"max_age": 3600}, timedelta(hours=1)),
    ],
)
def test_a_bundle_is_trusted_for_a_day_where_its_feed_can_confirm_it(
    given: dict[str, object], bound: timedelta | None
) -> None:
    """Pushes alone confirm nothing: a bound would make an outage of a day without changes."""
    assert PolicySettings.model_validate(given).trusted_for == bound


def test_a_schema_of_its_own_is_a_file(tmp_path: Path) -> None:
    assert "namespace Aeterna" in read_schema(SHIPPED / "aeterna.cedarschema")
    with pytest.raises(BundleUnreadableError, match="FileNotFoundError"):
        read_schema(tmp_path / "nowhere")
