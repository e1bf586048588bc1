"""Lets Google's own services use a key: once a stack, however many stores of one kind are under the key.

A grant is the same for all of them. Were it each store's own, destroying one would shut the others out of their data.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.gcp.agents import Agent, logging_agent, service_agent, storage_agent

if TYPE_CHECKING:
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

KEY_DIGEST_LENGTH = 8


class User(StrEnum):
    """A service that encrypts several stores of one kind."""

    LOGGING = "Logging"
    REGISTRY = "Registry"
    STORAGE = "Storage"


class KeyUse(Construct):
    """The right of one service to use one key for everything that it keeps in this place."""

    def __init__(self, scope: Construct, id_: str, *, key: GcpKey, user: User, place: GcpPlace) -> None:
        super().__init__(scope, id_)
        after: list[ITerraformDependable] = []
        if user is User.STORAGE:
            member = storage_agent(self, "Agent", place=place)
        elif user is User.LOGGING:
            member = logging_agent(self, "Agent", place=place)
        else:
            member = service_agent(place, Agent.ARTIFACT_REGISTRY)
            after.append(place.service("artifactregistry"))
        self.ready = key.grant(self, "KeyGrant", member, after=after)


def used_by(user: User, *, key: GcpKey, place: GcpPlace) -> ITerraformDependable:
    """Let the service use the key, and return what waits until it can. The grant stands below the place.

    Its address holds a digest of the key's own, because a stack may have several keys.
    """
    id_ = f"{user}-{key.node.addr[-KEY_DIGEST_LENGTH:]}"
    found = place.node.try_find_child(id_)
    return found.ready if isinstance(found, KeyUse) else KeyUse(place, id_, key=key, user=user, place=place).ready
