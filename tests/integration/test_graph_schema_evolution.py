"""Others may change a live table's schema while we write: nothing is lost, nothing fails, and their columns stay."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table.update import SetCurrentSchemaUpdate
from pyiceberg.types import IntegerType, LongType, StringType

from aeterna.graph.adapters.iceberg.layout import LAYOUT, LAYOUT_FIELDS, TABLE_PROPERTIES
from aeterna.graph.domain.arrow import pa, untyped
from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import NodeId
from aeterna.graph.domain.rows import LAYOUT_VERSION
from aeterna.graph.errors import CommitConflictError, LayoutUnsupportedError
from fixtures.fix_catalogs import KINDS, CatalogPlace, place_of
from fixtures.fix_graph import ACME, START, GraphBench, arrow_lens, batch_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pyiceberg.table.update.schema import UpdateSchema

    from aeterna.graph.adapters.iceberg.stores import IcebergGraphStores
    from aeterna.graph.domain.changes import Session
    from aeterna.graph.usecases.graphs import Graphs


@pytest.fixture
def place(tmp_path: Path) -> CatalogPlace:
    return CatalogPlace(catalog_uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=str(tmp_path / "warehouse"))


@pytest.fixture
def stores(place: CatalogPlace) -> Iterator[IcebergGraphStores]:
    opened = place.open()
    yield opened
    opened.close()


def _session(id_: str) -> Session:
    return session_of(id_, subject="ada", nodes=[node_of(f"n:{id_}", "Thing", {"from": id_})])


def _evolve(place: CatalogPlace, change: Callable[[UpdateSchema], object]) -> None:
    """Change the schema as whoever owns the lake would, and again when a writer was first."""
    with place.table() as table:
        for _ in range(100):
            update = table.refresh().update_schema(allow_incompatible_changes=True)
            change(update)
            try:
                update.commit()
            except CommitFailedException:
                continue
            return
    raise AssertionError("writers always won")


def _properties(place: CatalogPlace) -> Mapping[str, str]:
    with place.table() as table:
        return table.properties


CHANGES: dict[str, Callable[[UpdateSchema], object]] = {
    "a column of theirs is added": lambda update: update.add_column("note", StringType()),
    "one of ours is renamed": lambda update: update.rename_column("kind", "category"),
    "the one that files are pruned by is renamed": lambda update: update.rename_column("seq", "position"),
    "one of ours becomes optional": lambda update: update.make_column_optional("subject"),
    "columns are reordered": lambda update: update.move_first("digest").move_after("record", "properties"),
    "two of ours swap names": lambda update: update.rename_column("source", "target_").rename_column("type", "source"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_others_change_old_and_new_writers_and_readers_go_on(
    place: CatalogPlace, stores: IcebergGraphStores, change: Callable[[UpdateSchema], object]
) -> None:
    """A writer that holds the table from before neither fails nor writes under a wrong name."""
    old = stores.open(ACME)
    first = old.append(batch_of(_session("a")), parent=None)
    _evolve(place, change)

    second = old.append(batch_of(_session("b"), first_seq=2), parent=first.id)
    new = stores.open(ACME)
    new.head()
    third = new.append(batch_of(_session("c"), first_seq=3), parent=second.id)

    for reader in (old, new, stores.open(ACME)):
        reader.head()
        rows = reader.rows(third.id)
        kinds = {id_: kind for id_, kind in zip(rows["id"].to_pylist(), rows["kind"].to_pylist(), strict=True) if id_}
        assert kinds == {"n:a": "Thing", "n:b": "Thing", "n:c": "Thing"}
        assert set(rows["subject"].to_pylist()) == {"ada"}
        assert set(reader.rows(third.id, after=1)["seq"].to_pylist()) == {2, 3}
        assert [id_ for id_ in reader.rows(first.id)["id"].to_pylist() if id_] == ["n:a"]


def test_their_columns_are_widened_and_dropped_and_ours_are_as_before(
    place: CatalogPlace, stores: IcebergGraphStores
) -> None:
    store = stores.open(ACME)
    head = store.append(batch_of(_session("a")), parent=None)
    changes: list[Callable[[UpdateSchema], object]] = [
        lambda update: update.add_column("score", IntegerType()),
        lambda update: update.update_column("score", LongType()),
        lambda update: update.rename_column("score", "rank"),
        lambda update: update.delete_column("rank"),
    ]
    for number, change in enumerate(changes, start=2):
        _evolve(place, change)
        head = store.append(batch_of(_session(f"s{number}"), first_seq=number), parent=head.id)

    assert sorted(set(store.rows(head.id)["seq"].to_pylist())) == [1, 2, 3, 4, 5]


def test_a_column_of_ours_that_is_gone_is_refused_until_it_is_back(
    place: CatalogPlace, stores: IcebergGraphStores
) -> None:
    """Writing with a hole, or reading one, would lose what nobody could bring back."""
    store = stores.open(ACME)
    first = store.append(batch_of(_session("a")), parent=None)
    _evolve(place, lambda update: update.delete_column("digest"))

    with pytest.raises(LayoutUnsupportedError):
        stores.open(ACME).append(batch_of(_session("b"), first_seq=2), parent=first.id)

    with place.table() as table:
        table.catalog.commit_table(table, (), (SetCurrentSchemaUpdate.model_validate({"schema-id": 0}),))
    assert stores.open(ACME).append(batch_of(_session("b"), first_seq=2), parent=first.id).last_seq == 2


def _graphs(place: CatalogPlace) -> Graphs:
    return GraphBench(stores=place.open(), new_lens=arrow_lens).graphs()


def test_the_schema_changes_under_running_writers_and_every_session_is_there_once(place: CatalogPlace) -> None:
    graphs = [_graphs(place), _graphs(place)]
    graphs[0].of(ACME).commit(_session("first"))
    names = [f"{writer}-{number}" for writer in range(2) for number in range(20)]

    def write(writer: int) -> None:
        for number in range(20):
            graphs[writer].of(ACME).commit(_session(f"{writer}-{number}"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(2)]
    for thread in threads:
        thread.start()
    for change in CHANGES.values():
        _evolve(place, change)
    for thread in threads:
        thread.join()

    opened = _graphs(place)
    fresh = opened.of(ACME)
    assert (fresh.statistics().seq, fresh.statistics().nodes) == (len(names) + 1, len(names) + 1)
    assert all(fresh.node(NodeId(f"n:{name}")).kind == "Thing" for name in names)
    for each in (opened, *graphs):
        each.close()


@pytest.fixture(params=KINDS)
def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> CatalogPlace:
    return place_of(request.param, request, tmp_path)


def _age(place: CatalogPlace) -> None:
    """Make the table what the first layout made."""
    with place.table() as table, table.transaction() as changes:
        changes.remove_properties(*(key for key in TABLE_PROPERTIES if key.startswith("write.metadata.metrics")))
        changes.set_properties({LAYOUT: "1"})


def test_an_older_layout_is_read_as_it_is_and_upgraded_by_the_first_write(any_place: CatalogPlace) -> None:
    stores = any_place.open()
    first = stores.open(ACME).append(batch_of(_session("a")), parent=None)
    _age(any_place)
    store = stores.open(ACME)
    assert store.head() == first
    assert _properties(any_place)[LAYOUT] == "1"

    store.append(batch_of(_session("b"), first_seq=2), parent=first.id)

    properties = _properties(any_place)
    assert {key: properties.get(key) for key in TABLE_PROPERTIES if key != "format-version"} == {
        key: value for key, value in TABLE_PROPERTIES.items() if key != "format-version"
    }
    stores.close()


def test_processes_that_upgrade_at_once_all_go_on(place: CatalogPlace, stores: IcebergGraphStores) -> None:
    first = stores.open(ACME).append(batch_of(_session("a")), parent=None)
    _age(place)
    late = place.open()
    store, other = stores.open(ACME), late.open(ACME)
    assert store.head() == other.head() == first

    second = store.append(batch_of(_session("b"), first_seq=2), parent=first.id)
    with pytest.raises(CommitConflictError):
        other.append(batch_of(_session("c"), first_seq=2), parent=first.id)

    assert other.head() == second
    assert other.append(batch_of(_session("c"), first_seq=3), parent=second.id).last_seq == 3
    assert _properties(place)[LAYOUT] == str(LAYOUT_VERSION)
    late.close()


@pytest.mark.parametrize("layout", [str(LAYOUT_VERSION + 1), "two", "-1"])
def test_a_layout_that_is_not_known_is_refused_before_anything_is_read_or_written(
    place: CatalogPlace, stores: IcebergGraphStores, layout: str
) -> None:
    first = stores.open(ACME).append(batch_of(_session("a")), parent=None)
    with place.table() as table, table.transaction() as changes:
        changes.set_properties({LAYOUT: layout})

    with pytest.raises(LayoutUnsupportedError):
        stores.open(ACME).head()
    with pytest.raises(LayoutUnsupportedError):
        stores.open(ACME).append(batch_of(_session("b"), first_seq=2), parent=first.id)


def test_the_ids_of_our_columns_are_the_same_in_every_catalog(any_place: CatalogPlace) -> None:
    stores = any_place.open()
    stores.open(ACME).append(batch_of(_session("a")), parent=None)

    with any_place.table() as table:
        assert {field.name: field.field_id for field in table.schema().fields} == dict(LAYOUT_FIELDS)
    stores.close()


def test_what_others_wrote_beside_our_rows_is_kept_when_files_are_merged(
    place: CatalogPlace, stores: IcebergGraphStores
) -> None:
    """And it is found although two of our own columns have other names and places by now."""
    store = stores.open(ACME)
    first = store.append(batch_of(_session("a"), _session("b")), parent=None)
    _evolve(place, lambda update: update.add_column("score", IntegerType()))
    _evolve(place, lambda update: update.rename_column("seq", "position").rename_column("kind", "category"))
    _evolve(place, lambda update: update.move_first("digest"))
    with place.table() as table:
        rows = untyped(table.scan()).to_arrow()
        place_of_score = rows.column_names.index("score")
        scores = pa.array(range(rows.num_rows), pa.int32())
        untyped(table).overwrite(rows.set_column(place_of_score, rows.schema.field("score"), scores))
    before = _scores(place)
    head = store.head()
    assert head is not None
    assert head.last_seq == first.last_seq
    store.append(batch_of(_session("c"), first_seq=3), parent=head.id)

    compactor = stores.upkeep(ACME).compactor
    compactor.runs()
    merged = compactor.swap(compactor.rewrite(0, forget_before=START, memory_bytes=1 << 28, watch=lambda _: None))

    assert _scores(place) == {**before, ("session", "c"): None, ("node", "c"): None}
    store.head()
    assert sorted(id_ for id_ in store.rows(merged.id)["id"].to_pylist() if id_) == ["n:a", "n:b", "n:c"]
    assert {kind for kind in store.rows(merged.id)["kind"].to_pylist() if kind} == {"Thing"}


def _scores(place: CatalogPlace) -> dict[tuple[str, str], int | None]:
    with place.table() as table:
        rows = untyped(table.scan()).to_arrow().to_pylist()
    return {(row["record"], row["session"]): row["score"] for row in rows}
