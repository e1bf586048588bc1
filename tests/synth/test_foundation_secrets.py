"""A program that is synthesized where credentials lie around writes none of them down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.canaries import CANARY, ENVIRONMENT
from fixtures.fix_foundation import CLOUDS
from synth.test_syntheses_agree import FOUNDATION, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.resource_graph import Joined

SECRET_ARGUMENTS = {
    "administrator_password",
    "auth_token",
    "initial_password",
    "master_password",
    "password",
    "private_key",
    "root_password",
    "secret_data",
    "secret_string",
}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_credential_of_the_environment_is_written_down(cloud: str, tmp_path: Path) -> None:
    from fixtures.foundations import REGIONS  # noqa: PLC0415 - starts node

    written = run(tmp_path / "here", "1", "-c", FOUNDATION, cloud, *REGIONS[cloud], environment=ENVIRONMENT)

    assert written
    assert [path for path, content in written.items() if CANARY.encode() in content] == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_argument_is_a_secret_that_the_state_would_keep(cloud: str, critical_of: Callable[[str], Joined]) -> None:
    """A secret goes through an argument that is written and never read, or there is none."""
    kept = [
        f"{address}.{name}"
        for _, address, arguments in critical_of(cloud).elements()
        for name in SECRET_ARGUMENTS & set(arguments)
    ]

    assert kept == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_whatever_is_invented_for_one_run_goes_only_where_it_is_not_kept(
    cloud: str, critical_of: Callable[[str], Joined]
) -> None:
    foundation = critical_of(cloud)

    kept = [
        f"{address}.{name}"
        for _, address, arguments in foundation.elements()
        for name, value in arguments.items()
        if "ephemeral." in str(value) and not name.endswith("_wo")
    ]

    assert kept == []
    for document in foundation.layers.values():
        assert "ephemeral." not in str(document.outputs())
