"""The guard-rails run on a foundation while it is synthesized, and change nothing of it."""

from __future__ import annotations

from datetime import date

from aeterna.contracts.sizes import Size
from aeterna.stacks.foundation import Foundation
from aeterna.synth import testing
from aeterna.synth.aspects import attach
from aeterna.synth.registry import cloud
from aeterna.synth.rules.guardrails import Guardrails
from fixtures.foundations import Case

CASE = Case(cloud="aws", size=Size.STANDARD)


def texts(rails: Guardrails | None) -> dict[str, str]:
    """Return the documents of a foundation, guarded or not."""
    app = testing.app()
    foundation = Foundation(app, "prod", cloud=cloud(CASE.cloud), spec=CASE.spec())
    for stack in foundation.stacks.values():
        if rails is not None:
            attach(stack, rails)
    return {name: document.text for name, document in testing.documents(app).items()}


def test_a_guarded_foundation_is_written_as_it_would_be_without_guard_rails() -> None:
    rails = Guardrails(size=CASE.size, clock=lambda: date(2026, 11, 22))

    assert texts(rails) == texts(None)
    assert [report.findings for report in rails.reports.values()] == [()] * len(texts(None))
