"""Between us and the storage anything may go wrong: what was acknowledged is there, once, and nothing in part."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs, urlsplit

import pytest

from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.errors import StorageError
from fixtures.faulty_proxy import Fault, Request, Trouble, faulty_proxy
from fixtures.fix_catalogs import BUCKET, REGION, CatalogPlace
from fixtures.fix_graph import ACME, GraphBench, arrow_lens

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.snapshots import Receipt
    from aeterna.graph.usecases.graphs import Graphs

NODES = 3
Kind: TypeAlias = tuple[str, ...]
FAULTS = [fault for fault in Fault if fault is not Fault.NONE]
DONE = [fault for fault in FAULTS if fault is not Fault.REFUSED]  # the server did what it was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubledPlace:
    """A place whose catalog and files are reached through a proxy."""

    place: CatalogPlace
    trouble: Trouble


@pytest.fixture
def behind_rest(rest_place: CatalogPlace) -> Generator[TroubledPlace]:
    with faulty_proxy(rest_place.catalog_uri) as (address, trouble):
        yield TroubledPlace(place=CatalogPlace(catalog_uri=address, warehouse=rest_place.warehouse), trouble=trouble)


@pytest.fixture
def on_aws(aws: str, monkeypatch: pytest.MonkeyPatch) -> Generator[TroubledPlace]:
    with faulty_proxy(aws) as (address, trouble):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        warehouse = f"s3://{BUCKET}/graphs?endpoint={address}"
        yield TroubledPlace(place=CatalogPlace(catalog_uri=f"glue://{REGION}", warehouse=warehouse), trouble=trouble)


def _session(number: int) -> Session:
    nodes = [node_of(f"n:{number}:{part}", "Part", {"number": number}) for part in range(NODES)]
    edges = [edge_of(nodes[0].id, "has", node.id) for node in nodes[1:]]
    return session_of(f"s:{number}", subject="ada", nodes=nodes, edges=edges)


def _graphs(place: CatalogPlace) -> Graphs:
    return GraphBench(stores=place.open(), new_lens=arrow_lens).graphs()


def _assert_whole(place: CatalogPlace, acknowledged: set[int]) -> None:
    """Every acknowledged session is there whole and no session is there twice or in part, for whoever looks anew."""
    graphs = _graphs(place)
    graph = graphs.of(ACME)
    statistics = graph.statistics()
    assert statistics.seq == len(acknowledged)
    assert (statistics.nodes, statistics.edges) == (NODES * len(acknowledged), (NODES - 1) * len(acknowledged))
    for number in acknowledged:
        assert graph.node(NodeId(f"n:{number}:{NODES - 1}")).properties == f'{{"number":{number}}}'
    snapshots = graph.snapshots(10_000)[::-1]
    assert [snapshot.first_seq for snapshot in snapshots] == [1, *(each.last_seq + 1 for each in snapshots[:-1])]
    graphs.close()


def _kind(request: Request) -> Kind:
    """Say what a request is for, whatever the names in this very commit are."""
    parts = urlsplit(request.path)
    return (
        request.method,
        request.target,
        Path(parts.path).suffix,
        min(parse_qs(parts.query, keep_blank_values=True), default=""),
    )


def _in_trouble(
    troubled: TroubledPlace, chosen: Callable[[Sequence[Kind]], Iterable[tuple[Kind, Fault]]]
) -> dict[tuple[Kind, Fault], Receipt | None]:
    """Spoil one request of each commit; after each, in peace, the client sends the session again.

    What a commit asks for is learned from the second one; ``chosen`` says which of these kinds of requests meet which
    fault. Return what was acknowledged under the fault, and check that everything is there in the end.
    """
    graphs = _graphs(troubled.place)
    graph = graphs.of(ACME)
    for number in range(2):
        troubled.trouble.at(-1, Fault.NONE)
        graph.commit(_session(number))
    kinds = [_kind(request) for request, _ in troubled.trouble.seen]
    outcomes: dict[tuple[Kind, Fault], Receipt | None] = {}
    for number, (kind, fault) in enumerate(chosen(list(dict.fromkeys(kinds))), start=2):
        troubled.trouble.at(kinds.index(kind), fault)
        try:
            receipt = graph.commit(_session(number))
        except StorageError:
            receipt = None
        assert fault in {met for _, met in troubled.trouble.seen}
        troubled.trouble.end()
        assert graph.commit(_session(number)).seq == number + 1
        outcomes[kind, fault] = receipt
    graphs.close()
    _assert_whole(troubled.place, set(range(2 + len(outcomes))))
    return outcomes


def _settled(outcomes: dict[tuple[Kind, Fault], Receipt | None], commit: Callable[[Kind], bool]) -> list[Fault]:
    """Return after which faults at the commit itself the first call already had its receipt, and no repeated one."""
    return [
        fault
        for (kind, fault), receipt in outcomes.items()
        if commit(kind) and receipt is not None and not receipt.repeated
    ]


@pytest.mark.needs("java", "mvn")
def test_a_rest_catalog_in_any_trouble_at_any_request_of_a_commit_loses_and_doubles_nothing(
    behind_rest: TroubledPlace,
) -> None:
    outcomes = _in_trouble(behind_rest, lambda kinds: itertools.product(kinds, FAULTS))

    assert _settled(outcomes, lambda kind: kind[0] == "POST") == DONE


def test_glue_in_any_trouble_at_the_commit_itself_loses_and_doubles_nothing(on_aws: TroubledPlace) -> None:
    """Its client repeats what was not answered, and is then refused by its own commit."""

    def commits(kinds: Sequence[Kind]) -> Iterable[tuple[Kind, Fault]]:
        yield from ((kind, Fault.CUT) for kind in kinds if kind[1] == "AWSGlue.GetTable")
        yield from itertools.product([kind for kind in kinds if kind[1] == "AWSGlue.UpdateTable"], FAULTS)

    outcomes = _in_trouble(on_aws, commits)

    # A refusal is repeated by the client itself.
    assert _settled(outcomes, lambda kind: kind[1] == "AWSGlue.UpdateTable") == [Fault.REFUSED, *DONE]


@pytest.mark.slow
def test_s3_in_trouble_at_any_request_of_a_commit_loses_and_doubles_nothing(on_aws: TroubledPlace) -> None:
    """Each kind of request meets one of the faults, each fault several kinds."""

    def files(kinds: Sequence[Kind]) -> Iterable[tuple[Kind, Fault]]:
        return zip([kind for kind in kinds if not kind[1]], itertools.cycle(FAULTS), strict=False)

    outcomes = _in_trouble(on_aws, files)

    assert {fault for _, fault in outcomes} == set(FAULTS)
