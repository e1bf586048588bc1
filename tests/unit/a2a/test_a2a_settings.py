"""Settings of an agent: what it needs, and what does not fit together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from fixtures.a2a_served import settings


def test_a_blocking_message_is_answered_before_the_chassis_cuts_it_off() -> None:
    found = settings()

    assert found.send_timeout < found.request_timeout


@pytest.mark.parametrize("seconds", ["300", "301"])
def test_a_wait_that_the_chassis_would_cut_off_is_refused(seconds: str) -> None:
    with pytest.raises(ValidationError, match="shorter than request_timeout"):
        settings(send_timeout=seconds)


def test_durations_are_seconds() -> None:
    assert settings(lease_ttl="1.5").lease_ttl == timedelta(seconds=1.5)
