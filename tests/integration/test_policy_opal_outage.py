"""Three of OPAL's servers and their Redis fail one by one under load, and return: decisions go on."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest

from fixtures.fed_sidecar import Answer, Load
from fixtures.fix_live_runtime import wait_until
from fixtures.opal import PATIENCE
from fixtures.policy_fleet import READING, Fleet, fleet, unrelated

if TYPE_CHECKING:
    from collections.abc import Generator

    from fixtures.fed_sidecar import FedSidecar

pytestmark = [
    pytest.mark.needs("opal", "redis", "git"),
    pytest.mark.slow,
]

MAX_AGE: Final = 15.0
"""Seconds: longer than a busy machine needs to confirm, and short enough to be waited for."""
SECONDS: Final = 30.0
EDITION: Final = re.compile(r'^aeterna_policy_edition_epoch\{[^}]*digest="([^"]+)"', re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class Story:
    """What was seen while the control plane lost one part after the other, and came back."""

    watched: Load
    reached: dict[str, str] = field(default_factory=dict[str, str])
    """The digest that all sidecars came to after each loss, by what was lost."""
    spread: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds between the first and the last sidecar with that digest."""
    alone: Answer
    ready_alone: int
    before_restart: Answer
    after_restart: Answer
    closed: Answer
    ready_closed: int
    returned: Answer
    returned_in: float
    """Seconds from a whole control plane to what changed meanwhile in all sidecars."""
    metrics: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Generator[Story]:
    """Play it once; each test looks at one thing that was seen."""
    folder = tmp_path_factory.mktemp("opal")
    with fleet(folder, servers=3, names="ab", max_age=str(MAX_AGE)) as running:
        first, second = running.sidecars
        with first.under_load(READING) as watched:
            with second.under_load(READING) as other:
                reached, spread = lose_one_by_one(running, [watched, other])
                running.plane.kill()
                wait_until(lambda: watched.answers[-1].age > MAX_AGE / 3, PATIENCE)
                alone, ready_alone = watched.answers[-1], first.get("/ready").status_code
            before, after = restarted(second)
            running.plane.repository.commit({"meanwhile.cedar": unrelated(9)})
            wait_until(lambda: not watched.answers[-1].allowed, PATIENCE)
            closed, ready_closed = watched.answers[-1], first.get("/ready").status_code
            running.plane.start()
            back = time.monotonic()
            running.converge(but=[*reached.values()])
            returned_in = time.monotonic() - back
            wait_until(lambda: watched.answers[-1].allowed, PATIENCE)
        yield Story(
            watched=watched,
            reached=reached,
            spread=spread,
            alone=alone,
            ready_alone=ready_alone,
            before_restart=before,
            after_restart=after,
            closed=closed,
            ready_closed=ready_closed,
            returned=first.ask(READING),
            returned_in=returned_in,
            metrics=[sidecar.get("/metrics").text for sidecar in running.sidecars],
        )


def lose_one_by_one(running: Fleet, loads: list[Load]) -> tuple[dict[str, str], dict[str, float]]:
    """Kill one part after the other; after each, a commit has to arrive everywhere."""
    reached: dict[str, str] = {}
    spread: dict[str, float] = {}
    plane = running.plane
    losses = {
        "nothing": None,
        "Redis": plane.redis,
        "a server": plane.servers[0],
        "two servers": plane.servers[1],
        "and Redis": plane.redis,
    }
    for number, (lost, part) in enumerate(losses.items()):
        if part is not None:
            part.kill()
        # A server that has not pulled yet may hand out the commit before once more.
        digest = running.commit({f"change-{number}.cedar": unrelated(number)}, but=reached.values())
        reached[lost] = digest
        wait_until(lambda digest=digest: all(load.answers[-1].digest == digest for load in loads), PATIENCE)
        moments = [load.first_with(digest) for load in loads]
        spread[lost] = max(moments) - min(moments)
        if lost == "Redis":
            plane.redis.start()
    return reached, spread


def restarted(sidecar: FedSidecar) -> tuple[Answer, Answer]:
    """Kill a sidecar and start it again; return what it answered before and after."""
    before = sidecar.ask(READING)
    sidecar.kill()
    sidecar.start()
    return before, sidecar.ask(READING)


def test_no_decision_fails_until_the_bound(story: Story) -> None:
    """Redis dies and returns, servers die one by one, then all of it: whoever asks does not notice."""
    trusted = story.watched.answers[: story.watched.answers.index(story.closed)]
    served = [answer for answer in trusted if answer.age <= MAX_AGE]

    assert len(served) > 100
    assert [answer for answer in served if answer.status != 200 or not answer.allowed] == []


def test_changes_arrive_everywhere_as_long_as_one_server_is_left(story: Story) -> None:
    """Without Redis too, which OPAL alone would not do: its driver hides the loss, and the fleet stays split."""
    assert list(story.reached) == ["nothing", "Redis", "a server", "two servers", "and Redis"]
    assert len(set(story.reached.values())) == 5


def test_when_all_are_gone_decisions_go_on_and_say_how_old_their_policies_are(story: Story) -> None:
    assert (story.alone.status, story.alone.allowed, story.ready_alone) == (200, True, 200)
    assert story.alone.age > MAX_AGE / 3


def test_a_sidecar_that_starts_alone_decides_by_what_it_kept(story: Story) -> None:
    before, after = story.before_restart, story.after_restart

    assert (after.allowed, after.epoch, after.digest) == (True, before.epoch, before.digest)
    assert after.age > before.age


def test_beyond_the_bound_everything_is_denied(story: Story) -> None:
    assert (story.closed.status, story.closed.allowed, story.ready_closed) == (200, False, 503)
    assert story.closed.errors
    assert story.closed.age > MAX_AGE


def test_a_change_parts_the_sidecars_for_seconds_and_not_for_minutes(story: Story) -> None:
    """The bound is loose, for a machine that has much else to do; alone on it, half a second is usual."""
    assert max(story.spread.values()) < SECONDS


def test_on_return_all_take_on_what_changed_meanwhile(story: Story) -> None:
    assert story.returned.allowed
    assert story.returned.epoch == story.closed.epoch + 1
    assert story.returned.age < MAX_AGE
    assert story.returned_in < SECONDS


def test_the_metrics_of_all_sidecars_name_one_digest(story: Story) -> None:
    editions = [EDITION.findall(text) for text in story.metrics]

    assert [len(found) for found in editions] == [1, 1]
    assert {digest for found in editions for digest in found} == {story.returned.digest}
