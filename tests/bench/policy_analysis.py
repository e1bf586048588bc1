"""What an analysis costs: fifty permits against fifty forbids with conditions, from nothing and after one change.

Run as ``python -P tests/bench/policy_analysis.py``; `bench_policy` reports the same facts.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.bundle import Bundle
from aeterna.policies.adapters.analyser import make_analyser
from aeterna.policies.domain.findings import Kind

if TYPE_CHECKING:
    from aeterna.policies.domain.findings import Report
    from aeterna.policies.ports import Analyser

SIDE: Final = 50
SCHEMA: Final = """
namespace Shop {
    entity Team in [Team];
    entity User in [Team] = { tenant: String, level: Long, region: String };
    entity Robot in [Team] = { tenant: String, level: Long, region: String };
    entity Folder in [Folder] = { tenant: String, region: String };
    entity Document in [Folder] = { tenant: String, region: String, size: Long, labels: Set<String>, owner?: User };
    action reading;
    action writing;
    action list, view, export in [reading]
        appliesTo { principal: [User, Robot], resource: [Folder, Document], context: { mfa: Bool, hour: Long } };
    action edit, share, purge in [writing]
        appliesTo { principal: [User, Robot], resource: [Folder, Document], context: { mfa: Bool, hour: Long } };
}
"""
ACTIONS: Final = (
    'action in Shop::Action::"reading"',
    'action in Shop::Action::"writing"',
    'action == Shop::Action::"view"',
    'action in [Shop::Action::"edit", Shop::Action::"share"]',
    "action",
)


def bundle(*, changed: bool = False) -> Bundle:
    """Return fifty permits and fifty forbids over 24 shapes of request, one of the permits changed if asked for."""
    permits = "\n".join(permit(number, changed=changed and number == 7) for number in range(SIDE))
    forbids = "\n".join(forbid(number) for number in range(SIDE))
    return Bundle(policies={"permits.cedar": permits, "forbids.cedar": forbids}, schema=SCHEMA)


def permit(number: int, *, changed: bool = False) -> str:
    """Return a permit for a team in a region, from a level on."""
    level = number % 7 + (100 if changed else 0)
    return (
        f'@id("p{number}") permit (principal in Shop::Team::"team-{number % 12}", {ACTIONS[number % 5]}, resource)\n'
        f"when {{ principal.tenant == resource.tenant && principal.level >= {level} }}\n"
        f'when {{ context.hour < {24 - number % 5} && resource.region == "region-{number % 10}" }};'
    )


def forbid(number: int) -> str:
    """Return a forbid of large or labelled documents of a region without a second factor."""
    return (
        f'@id("f{number}") forbid (principal, {ACTIONS[(number + 2) % 5]}, resource is Shop::Document)\n'
        f'when {{ resource.region == "region-{number % 20}" && resource.size > {number * 10} '
        f'&& resource.labels.contains("secret-{number % 8}") }} unless {{ context.mfa }};'
    )


def analysis() -> dict[str, float]:
    """Return how long an analysis takes from nothing and after one change, in seconds, and what it had to do.

    It runs on one thread, so on a machine that others use too the seconds of CPU are what it costs.
    """
    analyser = make_analyser()
    whole, whole_cpu, report = timed(analyser, bundle())
    again, again_cpu, _ = timed(analyser, bundle(changed=True))
    return {
        "analysis_50x50_seconds": whole,
        "analysis_50x50_cpu_seconds": whole_cpu,
        "analysis_after_one_change_seconds": again,
        "analysis_after_one_change_cpu_seconds": again_cpu,
        "analysis_pairs": report.pairs,
        "analysis_findings": len(report.findings),
        "analysis_undecided": sum(found.kind is Kind.UNDECIDED for found in report.findings),
    }


def timed(analyser: Analyser, analysed: Bundle) -> tuple[float, float, Report]:
    """Return the seconds by the clock, those of CPU, and the report."""
    began, began_cpu = time.perf_counter(), time.process_time()
    report = analyser.analyse(analysed)
    return round(time.perf_counter() - began, 3), round(time.process_time() - began_cpu, 3), report


if __name__ == "__main__":
    sys.stdout.write(json.dumps(analysis()) + "\n")
