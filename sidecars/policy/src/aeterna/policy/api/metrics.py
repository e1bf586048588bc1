"""What the sidecar counts: decisions by outcome and origin, and which edition of the policies is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from aeterna.policy.domain.decision import Decision
    from aeterna.policy.usecases.decide import Decider

_BUCKETS = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05)


class DecisionMetrics:
    """Prometheus metrics of the sidecar; children are looked up once, since a lookup costs as much as a decision."""

    def __init__(self, registry: CollectorRegistry, decider: Decider) -> None:
        decisions = Counter(
            "aeterna_policy_decisions", "Decisions by outcome and origin.", ("decision", "source"), registry=registry
        )
        self._decisions = {
            (allowed, cached): decisions.labels("allow" if allowed else "deny", "cache" if cached else "engine")
            for allowed in (True, False)
            for cached in (True, False)
        }
        self._doubts = Counter("aeterna_policy_doubts", "Denies because something was unclear.", registry=registry)
        self.malformed = Counter(
            "aeterna_policy_malformed_questions", "Requests that were no evaluation.", registry=registry
        )
        self.refreshes = Counter(
            "aeterna_policy_refreshes", "Looks at the bundle's source.", ("outcome",), registry=registry
        )
        self._seconds = Histogram(
            "aeterna_policy_decision_seconds", "Time to decide.", buckets=_BUCKETS, registry=registry
        )
        self._edition = Gauge(
            "aeterna_policy_edition_epoch", "Epoch of the edition in use.", ("digest",), registry=registry
        )
        age = Gauge("aeterna_policy_edition_age_seconds", "Since the edition was confirmed.", registry=registry)
        age.set_function(lambda: decider.age)
        entries = Gauge("aeterna_policy_cache_entries", "Verdicts remembered.", registry=registry)
        entries.set_function(lambda: len(decider.edition.verdicts))
        self._decider = decider
        self.note_edition()

    def note_edition(self) -> None:
        """Show the edition in use, and no other: replicas whose digests differ are a split fleet."""
        self._edition.clear()
        self._edition.labels(self._decider.edition.digest).set(self._decider.edition.epoch)

    def note(self, decision: Decision, seconds: float) -> None:
        """Count a decision."""
        self._decisions[decision.allowed, decision.cached].inc()
        self._seconds.observe(seconds)
        if decision.errors:
            self._doubts.inc()
