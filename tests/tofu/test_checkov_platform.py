"""Another house's rules on the platform: on its plan, and on every manifest that a cluster would be given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.checkov import Report, scan, scan_manifests, suppressions
from fixtures.kube_platform import planned
from fixtures.progress import announce

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.deployments import Deployment
    from fixtures.kube_charts import Helm
    from fixtures.kube_cluster import KubeCluster
    from fixtures.tofu_engine import Engine

pytestmark = [pytest.mark.needs("go", "etcd", "checkov"), pytest.mark.timeout(1800)]

SUPPRESSIONS = suppressions(Path(__file__).with_name("checkov_platform_suppressions.json"))
LONGEST = timedelta(days=366)
CLOUD, PLATFORM = "aws", "opal"
"""What is in the cluster is the same on each cloud; this platform has every part."""
KINDS = ("plan", "manifests")


@pytest.fixture(scope="module")
def reports(
    deployment_of: Callable[[str], Deployment],
    tofu: Engine,
    furnished: KubeCluster,
    helm: Helm,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Report]:
    """Return what checkov says of the plan, and of the manifests."""
    from fixtures.platform_stacks import stack_id  # noqa: PLC0415 - starts node

    workspace = deployment_of(CLOUD).stack(tofu, stack_id(PLATFORM))
    workspace.init()
    plan = workspace.plan()
    manifests = planned(plan, workspace.folder, furnished, helm)
    folder = tmp_path_factory.mktemp("checkov")
    named = {f"{number}-{each.manifest['kind']}": each.manifest for number, each in enumerate(manifests)}
    return {"plan": scan({"plan": plan}, folder), "manifests": scan_manifests(named, folder)}


@pytest.mark.parametrize("kind", KINDS)
def test_no_check_of_the_platform_fails_that_is_not_exempted(
    kind: str, reports: dict[str, Report], request: pytest.FixtureRequest
) -> None:
    report = reports[kind]
    exempted = [one for one in report.findings if any(each.covers(kind, one) for each in SUPPRESSIONS)]
    announce(
        request.config,
        f"checkov on the platform's {kind}: {report.passed} passed, {len(exempted)} of {len(report.findings)} exempted",
    )

    assert [one for one in report.findings if one not in exempted] == []
    assert report.passed > len(report.findings)


@pytest.mark.parametrize("kind", KINDS)
def test_every_exemption_of_the_platform_still_exempts_something(kind: str, reports: dict[str, Report]) -> None:
    """One that outlives its finding would let the next one through."""
    ours = [each for each in SUPPRESSIONS if each.where.startswith(f"{kind}/")]

    assert [each for each in ours if not any(each.covers(kind, one) for one in reports[kind].findings)] == []


def test_every_exemption_of_the_platform_has_a_reason_and_a_day_within_a_year() -> None:
    today = datetime.now(tz=UTC).date()

    wrong = [
        each
        for each in SUPPRESSIONS
        if each.where.split("/")[0] not in KINDS
        or len(each.reason) < len("because it is so")
        or not today <= each.until <= today + LONGEST
    ]

    assert wrong == []


def test_a_pod_that_may_do_everything_would_be_found(tmp_path: Path) -> None:
    """Without this the scanner could be blind to manifests in the form in which we give them."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "open", "namespace": "acme"},
        "spec": {"containers": [{"name": "open", "image": "open", "securityContext": {"privileged": True}}]},
    }

    found = scan_manifests({"open": pod}, tmp_path)

    assert {"CKV_K8S_16", "CKV_K8S_22"} <= {one.check for one in found.findings}
