"""What the upkeep of an injector keeps, and what it leaves alone, in a cluster in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from aeterna.contracts.injection import names
from aeterna.contracts.injection.rights import AUTHORITY_SECRET, SERVICES, serving_secret
from aeterna.injector.domain.authority import Authority, Generation, Terms
from aeterna.injector.domain.authority_document import KEY, read, written
from aeterna.injector.domain.certificates import issued, names_of, new_authority, read_certificates, vouched_by
from aeterna.injector.domain.missed import PodSeen, Reason
from aeterna.injector.domain.serving import read_served
from aeterna.injector.domain.stored import Stored
from aeterna.injector.errors import AuthorityTooNewError, ClusterRefusedError, ClusterUnavailableError
from aeterna.injector.usecases.missing import REPORTS
from aeterna.service.errors import NotReadyError
from fixtures.injector_worlds import START, Replica, World
from fixtures.pods_for_injection import AGENTS, PLATFORM, POLICY, container, injected, installation, pod

if TYPE_CHECKING:
    from collections.abc import Mapping


pytestmark = pytest.mark.anyio

TERMS = Terms(namespace=PLATFORM)
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    """Return a cluster with two injectors that do everything, and a time to be set."""
    return World(terms=TERMS, skews=(timedelta(0), timedelta(0)))


def authority(world: World) -> Authority:
    """Return the authority as its Secret holds it."""
    return read(world.cluster.secrets[AUTHORITY_SECRET].entries[KEY])[0]


def given(world: World, *generations: Generation) -> None:
    """Put an authority into its Secret."""
    entries = {KEY: written(Authority(generations=generations))}
    world.cluster.secrets[AUTHORITY_SECRET] = Stored(entries=entries, version="given")


def due_generation() -> Generation:
    """Return a generation that all have known for long, and that is to be replaced."""
    begun = START - 300 * DAY
    pair = new_authority(PLATFORM, now=begun, life=TERMS.authority_life)
    return Generation(certificate=pair.certificate, key=pair.key, published=begun)


async def once(world: World, number: int = 0) -> Replica:
    """Let a replica do a pass; return it."""
    replica = world.replicas[number]
    await replica.upkeep.once()
    return replica


async def test_the_first_pass_gives_every_service_a_certificate_and_every_client_whom_to_trust(world: World) -> None:
    await once(world)

    (generation,) = authority(world).generations
    for service in SERVICES:
        pair = read_served(service, world.cluster.secrets[serving_secret(service)]).pair
        assert pair is not None
        assert vouched_by(pair.certificate, generation.certificate)
        assert pair.certificate.names == (f"{service}.aeterna.svc", f"{service}.aeterna.svc.cluster.local")
    assert set(world.cluster.maps) == {AGENTS, PLATFORM}
    assert world.cluster.registration is not None
    assert world.cluster.registration.hooks[0].bundle == generation.certificate.pem


async def test_a_pass_over_what_is_as_it_should_be_writes_nothing(world: World) -> None:
    for _ in range(2):
        await once(world)
    version = world.cluster.versions

    await once(world, 1)

    assert world.cluster.versions == version


async def test_while_a_client_cannot_be_told_nothing_is_issued_by_the_new_authority(world: World) -> None:
    """The API server fails for one namespace: its pods would not know whom the services then show."""
    given(world, due_generation())
    await once(world)
    world.cluster.refusing[AGENTS] = ClusterUnavailableError("write the trust", "503")
    world.cluster.maps[AGENTS] = replace(
        world.cluster.maps[AGENTS], entries={"ca.crt": due_generation().certificate.pem}
    )

    for _ in range(20):
        world.now += DAY
        await once(world)

    old, new = authority(world).generations
    assert new.published is None
    served = read_served("threads", world.cluster.secrets[serving_secret("threads")])
    assert served.pair is not None
    assert vouched_by(served.pair.certificate, old.certificate)


async def test_a_namespace_that_refuses_to_be_told_does_not_keep_the_authority_from_rotating(world: World) -> None:
    """As one whose owner made the ConfigMap immutable: it has its own pods to lose, and nobody else's."""
    given(world, due_generation())
    await once(world)
    world.cluster.refusing[AGENTS] = ClusterRefusedError("write the trust", "422 Invalid")
    world.cluster.maps[AGENTS] = Stored(entries={"ca.crt": "immutable"}, version="1")

    for _ in range(20):
        world.now += DAY
        await once(world)

    assert len(authority(world).generations) == 1
    assert authority(world).generations[0].published is not None
    assert ("trust", "injector.cluster_refused") in world.replicas[0].observer.failures


async def test_a_certificate_is_replaced_well_before_it_ends(world: World) -> None:
    await once(world)
    (first,) = {pair_of(world, "threads").certificate.ends}

    for _ in range(22):
        world.now += DAY
        await once(world)

    assert pair_of(world, "threads").certificate.ends > first
    assert first - world.now > 7 * DAY


async def test_certificates_that_were_made_together_are_not_replaced_together(world: World) -> None:
    await once(world)
    replaced: dict[str, int] = {}
    before = {service: pair_of(world, service) for service in SERVICES}

    world.now += 17 * DAY
    for hour in range(24 * 5):
        world.now += timedelta(hours=1)
        await once(world)
        for service in SERVICES:
            if pair_of(world, service) != before[service]:
                replaced.setdefault(service, hour)

    assert len(set(replaced.values())) > 1


@pytest.mark.parametrize(
    "garbage",
    [
        {},
        {"tls.crt": "x", "tls.key": "y"},
        {"tls.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "tls.key": "\ufffd"},
    ],
)
async def test_garbage_in_a_services_secret_is_replaced(garbage: Mapping[str, str], world: World) -> None:
    await once(world)
    world.cluster.secrets[serving_secret("threads")] = Stored(entries=garbage, version="garbage")

    await once(world)

    assert pair_of(world, "threads").certificate.names


async def test_a_key_of_another_certificate_is_garbage(world: World) -> None:
    await once(world)
    stored = world.cluster.secrets[serving_secret("threads")]
    other = world.cluster.secrets[serving_secret("injector")].entries["tls.key"]
    mixed = replace(stored, entries={**stored.entries, "tls.key": other})
    world.cluster.secrets[serving_secret("threads")] = mixed

    await once(world)

    assert pair_of(world, "threads").key != other


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "generations": [1, {}]}', "[" * 9999])
async def test_garbage_in_the_authoritys_secret_is_replaced_and_what_is_shown_stays_trusted(
    text: str, world: World
) -> None:
    await once(world)
    (lost,) = authority(world).generations
    world.cluster.secrets[AUTHORITY_SECRET] = Stored(entries={KEY: text}, version="garbage")
    world.restart(0)

    await once(world)

    old, new = authority(world).generations
    assert (old.certificate, old.key) == (lost.certificate, None)
    assert new.key is not None
    told = read_certificates(world.cluster.maps[AGENTS].entries["ca.crt"])
    assert told == (new.certificate, old.certificate)


async def test_what_a_later_release_wrote_is_left_alone(world: World) -> None:
    """A rollback must not throw the authority away."""
    text = json.dumps({"format": 2, "generations": []})
    world.cluster.secrets[AUTHORITY_SECRET] = Stored(entries={KEY: text}, version="1")

    replica = await once(world)

    assert world.cluster.secrets[AUTHORITY_SECRET].entries[KEY] == text
    assert replica.observer.failures == [("authority", AuthorityTooNewError.code)]


async def test_an_authority_may_vouch_for_the_platforms_services_alone() -> None:
    pair = new_authority(PLATFORM, now=START, life=DAY)
    foreign = issued(pair, names_of("bank", "other"), now=START, life=DAY)

    assert not verifies(foreign.certificate.pem, pair.certificate.pem, "bank.other.svc")
    ours = issued(pair, names_of("threads", PLATFORM), now=START, life=DAY)
    assert verifies(ours.certificate.pem, pair.certificate.pem, "threads.aeterna.svc")


async def test_nothing_that_holds_a_key_shows_it(world: World) -> None:
    await once(world)
    (generation,) = authority(world).generations

    shown = repr((generation, generation.pair, authority(world), world.cluster.secrets, pair_of(world, "threads")))

    assert "PRIVATE KEY" not in shown


async def test_a_replica_without_a_certificate_is_not_ready(world: World) -> None:
    world.cluster.fault = ClusterUnavailableError("read", "ConnectError")
    replica = await once(world)

    with pytest.raises(NotReadyError):
        await replica.upkeep.ready()


async def test_a_replica_shows_the_last_good_certificate_whatever_becomes_of_the_cluster(world: World) -> None:
    replica = await once(world)
    world.cluster.fault = ClusterUnavailableError("read", "ConnectError")

    for _ in range(5):
        world.now += DAY
        await once(world)

    await replica.upkeep.ready()
    assert len(replica.presenter.shown) == 1


async def test_whatever_a_part_of_a_pass_raises_the_others_are_done(world: World) -> None:
    """A driver that fails as nobody expected must not end the loop that renews certificates."""
    world.cluster.fault = ZeroDivisionError()
    replica = await once(world)
    world.cluster.fault = None

    await once(world)

    assert {code for _, code in replica.observer.failures} == {"injector.error"}
    await replica.upkeep.ready()


async def test_of_two_replicas_one_leads_until_it_is_silent_for_as_long_as_its_lease(world: World) -> None:
    first, second = (
        Replica(world.cluster, lambda: world.now, TERMS, skew=skew, alone=True)
        for skew in (timedelta(0), timedelta(hours=5))
    )
    for _ in range(3):
        await first.upkeep.once()
        await second.upkeep.once()
        world.now += timedelta(seconds=10)

    for _ in range(4):
        await second.upkeep.once()
        world.now += timedelta(seconds=10)

    assert first.observer.leading == [True] * 3
    assert second.observer.leading == [False] * 5 + [True] * 2


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (pod(), None),
        (pod({names.INJECT: "false"}), None),
        (pod(POLICY), Reason.MISSING),
        (pod({**POLICY, names.STATUS: injected(pod(POLICY))["metadata"]["annotations"][names.STATUS]}), Reason.MISSING),
        (injected(pod(POLICY)), None),
        (injected(pod(POLICY), installation(version="1.3.2")), Reason.OUTDATED),
        (pod(POLICY, hostNetwork=True), None),
        (pod(POLICY, os={"name": "windows"}), None),
        (pod({**POLICY, names.VERSION: "9.9.9"}), Reason.MISSING),
        (pod({names.INJECT: "nonsense"}), Reason.MISSING),
        (pod({**POLICY, names.TENANT: "globex"}), Reason.MISSING),
        (pod(POLICY, container("aeterna-policy")), Reason.MISSING),
    ],
)
async def test_a_pod_is_reported_for_what_it_is_and_not_for_what_it_says(
    seen: dict[str, Any], reason: Reason | None, world: World
) -> None:
    world.cluster.pods.append(PodSeen(namespace=AGENTS, name="agent", uid="1", manifest=seen))

    replica = await once(world)

    assert replica.observer.misses == ({} if reason is None else {(AGENTS, reason): 1})
    assert [each.reason for each in world.cluster.reported] == ([] if reason is None else [reason])


async def test_of_a_thousand_missed_pods_all_are_counted_and_a_few_are_reported_at_a_time(world: World) -> None:
    world.cluster.pods += [
        PodSeen(namespace=AGENTS, name=f"agent-{number}", uid=str(number), manifest=pod(POLICY))
        for number in range(1000)
    ]

    replica = await once(world)

    assert replica.observer.misses == {(AGENTS, Reason.MISSING): 1000}
    assert len(world.cluster.reported) == REPORTS


async def test_a_namespace_is_told_the_tenancy_of_its_own_tenant_alone(world: World) -> None:
    world.cluster.injected.add("globex-agents")

    await once(world)

    told = {
        name: json.loads(world.cluster.maps[name].entries["workloads.json"])["namespaces"]
        for name in world.cluster.maps
    }
    assert {name: set(each) for name, each in told.items()} == {
        AGENTS: {AGENTS},
        "globex-agents": {"globex-agents"},
        PLATFORM: set(),
    }


def pair_of(world: World, service: str) -> Any:  # noqa: ANN401 - it is there
    """Return what a service is given."""
    return read_served(service, world.cluster.secrets[serving_secret(service)]).pair


def verifies(leaf: str, root: str, name: str) -> bool:
    """Tell whether a client that trusts the root believes the leaf (RFC 5280)."""
    store = Store([x509.load_pem_x509_certificate(root.encode())])
    verifier = PolicyBuilder().store(store).time(START).build_server_verifier(x509.DNSName(name))
    try:
        verifier.verify(x509.load_pem_x509_certificate(leaf.encode()), [])
    except VerificationError:
        return False
    return True
