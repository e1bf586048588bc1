"""OPAL's servers, which speak plain Redis, tell each other through relays to a Redis with TLS, users and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from fixtures.fix_policy import document
from fixtures.opal import PATIENCE, free_port
from fixtures.policy_fleet import ENTITIES, fleet
from fixtures.relayed_cache import CANARY, Relay, relayed
from fixtures.secured_redis import SecuredRedis
from fixtures.token_issuers import Issuer
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.needs("opal", "redis", "git"), pytest.mark.slow]

WRITING = document(action={"name": "graph.write"})
PARENTS = {"reader": [{"type": "Aeterna::Role", "id": "writer"}], "writer": list[object]()}
PROMOTED = [dict(entity) | {"parents": PARENTS.get(entity["uid"]["id"], entity["parents"])} for entity in ENTITIES]
"""Who reads may write."""


@dataclass(frozen=True, slots=True)
class RelayedBroadcast:
    """The relay as OPAL sees it."""

    relay: Relay

    @property
    def url(self) -> str:
        """Where it answers."""
        return "redis://{}:{}".format(*self.relay.address)

    def start(self) -> None:
        """Return when it answers; it runs as long as the test."""
        wait_until(self.relay.ready)

    def kill(self) -> None:
        """Leave it to the test."""


def test_what_one_server_is_told_reaches_the_clients_of_the_others(tmp_path: Path) -> None:
    """A client is connected to one of the two servers, so one of the two changes came over the broadcast."""
    redis = SecuredRedis(free_port(), tmp_path)
    redis.start()
    try:
        with (
            relayed(redis, Issuer(assertion=CANARY)) as relay,
            # Without asks: what is not told is not known.
            fleet(tmp_path, servers=2, names="a", redis=RelayedBroadcast(relay), opal_interval="3600") as running,
        ):
            sidecar = running.sidecars[0]
            wait_until(lambda: redis.asked("PUBSUB", "CHANNELS") == "*1", PATIENCE)
            decided = [sidecar.ask(WRITING).allowed]
            for told, entities in enumerate((PROMOTED, ENTITIES)):
                before = sidecar.ask(WRITING).digest
                running.plane.replace_entities(entities, told=told)
                running.converge(but=[before])
                decided.append(sidecar.ask(WRITING).allowed)
            through = relay.metric('aeterna_relay_bytes_total{direction="to_client"}')
    finally:
        redis.stop()

    assert decided == [False, True, False]
    assert through > 0
