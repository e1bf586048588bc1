"""Another house's rules on our plans: nothing fails that is not exempted with a reason and for a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.checkov import Report, scan, suppressions
from fixtures.foundations import REGIONS
from fixtures.progress import announce

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.deployments import Deployment
    from fixtures.tofu_engine import Engine, Json

pytestmark = [pytest.mark.needs("go", "checkov"), pytest.mark.timeout(1800)]

SUPPRESSIONS = suppressions(Path(__file__).with_name("checkov_suppressions.json"))
LONGEST = timedelta(days=366)


@pytest.fixture(scope="module", params=sorted(REGIONS))
def cloud(request: pytest.FixtureRequest) -> str:
    """Return the name of each cloud in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def report(cloud: str, deployment_of: Callable[[str], Deployment], tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Return what checkov says of every plan of a critical foundation with everything on."""
    return scan(deployment_of(cloud).plans, tmp_path_factory.mktemp("checkov"))


def test_no_check_fails_that_is_not_exempted(cloud: str, report: Report, request: pytest.FixtureRequest) -> None:
    exempted = [one for one in report.findings if any(each.covers(cloud, one) for each in SUPPRESSIONS)]
    announce(
        request.config,
        f"checkov on {cloud}: {report.passed} passed, {len(exempted)} of {len(report.findings)} exempted",
    )

    assert [one for one in report.findings if one not in exempted] == []
    assert report.passed > len(report.findings)


def test_every_exemption_still_exempts_something(cloud: str, report: Report) -> None:
    """One that outlives its finding would let the next one through."""
    ours = [each for each in SUPPRESSIONS if each.where.startswith(f"{cloud}/")]

    assert [each for each in ours if not any(each.covers(cloud, one) for one in report.findings)] == []


def test_every_exemption_has_a_cloud_a_reason_and_a_day_within_a_year() -> None:
    today = datetime.now(tz=UTC).date()

    wrong = [
        each
        for each in SUPPRESSIONS
        if each.where.split("/")[0] not in REGIONS
        or len(each.reason) < len("because it is so")
        or not today <= each.until <= today + LONGEST
    ]

    assert wrong == []


def test_an_open_store_would_be_found(tofu: Engine, tmp_path: Path) -> None:
    """Without this the scanner could be blind to what our engine's plans look like."""
    configuration: Json = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "provider": {"aws": {"region": "eu-north-1"}},
        "resource": {"aws_db_instance": {"open": {"instance_class": "db.t4g.medium", "publicly_accessible": True}}},
    }
    workspace = tofu.workspace(tmp_path / "open", configuration)
    workspace.init()

    found = scan({"data": workspace.plan()}, tmp_path)

    assert {"CKV_AWS_16", "CKV_AWS_17"} <= {one.check for one in found.findings}
    assert {one.where for one in found.findings} == {"data/aws_db_instance.open"}
