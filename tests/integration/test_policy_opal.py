"""The real OPAL feeds the real sidecar: policies from git and entities from a service, each change in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from fixtures.fix_live_runtime import wait_until
from fixtures.fix_policy import document
from fixtures.opal import PATIENCE
from fixtures.policy_fleet import ENTITIES, FILES, READING, Fleet, fleet

if TYPE_CHECKING:
    from collections.abc import Generator

    from fixtures.fed_sidecar import FedSidecar

pytestmark = [
    pytest.mark.needs("opal", "redis", "git"),
    pytest.mark.slow,
]

FROZEN: Final = '@id("frozen")\nforbid (principal, action == Aeterna::Action::"graph.read", resource);\n'
TEAM: Final = "access/team+one.cedar"
"""A name that OPAL has to quote: in a folder, and with a sign that means a space in a form."""
WRITING: Final = document(action={"name": "graph.write"})


@pytest.fixture(scope="module")
def opal(tmp_path_factory: pytest.TempPathFactory) -> Generator[Fleet]:
    """Return one server that feeds one sidecar."""
    with fleet(tmp_path_factory.mktemp("opal"), servers=1, names="a") as running:
        yield running


@pytest.fixture
def sidecar(opal: Fleet) -> Generator[FedSidecar]:
    """Return the one sidecar; whatever the test changed is as it was before."""
    sidecar = opal.sidecars[0]
    found = sidecar.ask(READING).digest
    yield sidecar
    opal.plane.repository.restore(FILES)
    if opal.plane.source.entities is not ENTITIES:
        opal.plane.replace_entities(ENTITIES)
    wait_until(lambda: sidecar.ask(READING).digest == found, PATIENCE)


def test_all_that_a_client_pushes_when_it_starts_is_one_epoch(sidecar: FedSidecar) -> None:
    """Epoch 1 is the bundle that the package ships; what comes in several requests must not be several epochs."""
    assert sidecar.ask(READING).epoch == 2


def test_a_commit_decides(opal: Fleet, sidecar: FedSidecar) -> None:
    opal.commit({"frozen.cedar": FROZEN})
    frozen = sidecar.ask(READING)

    opal.commit({"frozen.cedar": None})

    assert (frozen.status, frozen.allowed, frozen.errors) == (200, False, ())
    assert sidecar.ask(READING).allowed


def test_a_renamed_file_is_one_step_and_never_two_policies_of_one_name(opal: Fleet, sidecar: FedSidecar) -> None:
    """OPAL puts the new file before it deletes the old one: for a moment the id is there twice."""
    opal.commit({TEAM: FROZEN})
    before = sidecar.ask(READING)

    opal.commit({TEAM: None, "access/team-two.cedar": FROZEN})

    after = sidecar.ask(READING)
    assert (before.allowed, after.allowed) == (False, False)
    assert after.epoch == before.epoch + 1


def test_entities_change_decisions(opal: Fleet, sidecar: FedSidecar) -> None:
    refused = sidecar.ask(WRITING)
    promoted = [entity | {"parents": [{"type": "Aeterna::Role", "id": "writer"}]} for entity in only("reader")]

    opal.plane.replace_entities([*promoted, *only("admin"), *only("writer", parents=False)])
    opal.converge(but=[refused.digest])

    assert (refused.allowed, sidecar.ask(WRITING).allowed) == (False, True)


def test_a_commit_that_is_no_policy_changes_nothing_and_is_seen(opal: Fleet, sidecar: FedSidecar) -> None:
    before = sidecar.ask(READING)

    opal.plane.repository.commit({"broken.cedar": '@id("broken")\npermit (principal, action, resource'})
    wait_until(lambda: "policy.bundle_refused" in sidecar.log(), PATIENCE)

    during = sidecar.ask(READING)
    assert (during.epoch, during.digest, during.allowed) == (before.epoch, before.digest, True)
    assert "broken.cedar" in sidecar.log()


def test_as_long_as_opal_is_there_what_does_not_change_is_confirmed(sidecar: FedSidecar) -> None:
    """Nothing is pushed while nothing changes, and nothing would tell that from a control plane that is gone."""
    epoch = sidecar.ask(READING).epoch
    wait_until(lambda: sidecar.ask(READING).age > 1.0, PATIENCE)

    wait_until(lambda: sidecar.ask(READING).age < 1.0, PATIENCE)

    assert sidecar.ask(READING).epoch == epoch


def test_the_store_is_closed_without_its_token(sidecar: FedSidecar) -> None:
    statuses = {path: sidecar.store(path, token=None).status_code for path in ("/v1/policies", "/v1/data")}

    assert statuses == {"/v1/policies": 401, "/v1/data": 401}


def only(role: str, *, parents: bool = True) -> list[dict[str, Any]]:
    """Return the stored entity of a role, with its parents or with none."""
    found = [dict(entity) for entity in ENTITIES if entity["uid"]["id"] == role]
    return found if parents else [entity | {"parents": []} for entity in found]
