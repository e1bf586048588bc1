"""Makes examples fit to be asked of the bundle: a request cannot bring an entity that the bundle keeps."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from aeterna.cedar.domain.bundle import tenant_of
from aeterna.cedar.domain.entity import uid_of
from aeterna.cedar.domain.request import Uid
from aeterna.policies.domain.requests import without

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.domain.checked import Checked
    from aeterna.policies.domain.findings import Finding
    from aeterna.policies.usecases.answering import Answers

    Entity = Mapping[str, object]


class Presenting:
    """The stored entities of a bundle whose policies hold up, and what to do with examples that bring them."""

    def __init__(self, bundle: Bundle, checked: Checked, answers: Answers) -> None:
        self._checked = checked
        self._answers = answers
        self._kept: dict[str | None, dict[Uid, Entity]] = {}
        for path, text in sorted(bundle.entities.items()):
            entities: list[Entity] = json.loads(text)
            self._kept.setdefault(tenant_of(path), {}).update(
                {Uid(*uid_of(entity["uid"])): entity for entity in entities}
            )

    def presented(self, found: Finding) -> Finding:
        """Return the finding with an example that leaves to the bundle what the bundle keeps.

        An example that shows nothing beside the stored entities stays as it is: it holds for other entities than these,
        and those that are stored today may be others tomorrow.
        """
        if found.example is None:
            return found
        kept = {**self._kept.get(None, {}), **self._kept.get(found.tenant, {})}
        fit = without(found.example, kept)
        policies = [policy for policy in self._checked.of(found.tenant) if policy.id in found.policies]
        if fit != found.example and self._answers.shows(fit, policies, list(kept.values())):
            return replace(found, example=fit)
        return found
