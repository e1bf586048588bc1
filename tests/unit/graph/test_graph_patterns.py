"""Patterns mean in SQL what they mean by definition, whatever texts are in them; what cannot be asked is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.graph.adapters.questions.pattern_sql import count_of, page_of
from aeterna.graph.domain.changes import JsonValue, edge_of, node_of, session_of
from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.questions.filters import condition
from aeterna.graph.domain.questions.patterns import edge_pattern, node_pattern, pattern
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import InvalidQueryError
from aeterna.graph.testing import MemoryLens
from fixtures.fix_graph import arrow_lens, batch_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.graph.domain.changes import Session
    from aeterna.graph.domain.questions.filters import Condition
    from aeterna.graph.domain.questions.patterns import EdgePattern, Matches, Pattern
    from aeterna.graph.ports import Lens

LONG: Final = timedelta(minutes=1)
NODES: Final = [f"n{number}" for number in range(5)]
# Names and texts that would be something in SQL, in JSON paths or in JSON, if they were ever read as such.
NASTY: Final = [
    "plain",
    "o'brien",
    "'; DROP TABLE node; --",
    '") OR true --',
    "$1",
    "/a~1b",
    "$.a",
    "*",
    "\\",
    "日本",
    "a.b",
    "3",
    "null",
]
VALUES: Final[st.SearchStrategy[JsonValue]] = st.sampled_from(
    [*NASTY, 3, 3.0, 2**53 + 1, 2**53, -1, 0.5, True, False, None, [1, "x"], {"plain": 1}, 10**400]
)
PROPERTIES = st.dictionaries(st.sampled_from(NASTY), VALUES, max_size=4)
ORDERED = st.sampled_from([*NASTY, 3, 2**53, -1, 0.5])
SCALARS = ORDERED | st.sampled_from([True, None])


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    operator = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "exists", "missing"]))
    name = draw(st.sampled_from(NASTY))
    if operator in {"exists", "missing"}:
        return condition(name, operator)
    value = draw(
        SCALARS.filter(lambda value: operator in {"=", "!="} or not (value is None or isinstance(value, bool)))
    )
    return condition(name, operator, value)


@st.composite
def graphs(draw: st.DrawFn) -> Session:
    nodes = [node_of(id_, draw(st.sampled_from(["K", "L"])), draw(PROPERTIES)) for id_ in NODES]
    ends = st.tuples(st.sampled_from(NODES), st.sampled_from(["t", "u"]), st.sampled_from(NODES))
    edges = [edge_of(*key, draw(PROPERTIES)) for key in draw(st.sets(ends, max_size=8))]
    return session_of("1", subject="ada", nodes=nodes, edges=edges)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    nodes = [
        node_pattern(
            name,
            ids=draw(st.sampled_from([(), (), ("n0", "n1"), ("n2", "'; DROP TABLE node; --")])),
            kinds=draw(st.sampled_from([(), (), ("K",), ("L", "M")])),
            where=draw(st.lists(conditions(), max_size=1)),
        )
        for name in names
    ]
    edges = [
        draw(edge_patterns(draw(st.sampled_from(names[:place])), name, named=draw(st.booleans()), place=place))
        for place, name in enumerate(names[1:], start=1)
    ]
    variables = [*names, *(edge.name for edge in edges if edge.name)]
    items = draw(st.lists(values(variables, names), min_size=1, max_size=3))
    distinct = draw(st.booleans())
    sortable = [item for item in items if item not in variables or item in names]
    return pattern(
        nodes,
        edges,
        returns=items,
        different=[("a", "b")] if len(names) > 1 and draw(st.booleans()) else [],
        distinct=distinct,
        order=[(item, draw(st.booleans())) for item in sortable[: draw(st.integers(0, 2))]],
        limit=draw(st.sampled_from([2, 1000])),
        count=draw(st.booleans()),
    )


@st.composite
def edge_patterns(draw: st.DrawFn, source: str, target: str, *, named: bool, place: int) -> EdgePattern:
    if draw(st.booleans()):
        source, target = target, source
    least = draw(st.integers(1, 2))
    hops = (1, 1) if named else (least, draw(st.integers(least, 3)))
    return edge_pattern(
        source,
        target,
        name=f"e{place}" if named else None,
        direction=draw(st.sampled_from(["out", "in", "both"])),
        types=draw(st.sampled_from([(), ("t",), ("t", "u")])),
        where=draw(st.lists(conditions(), max_size=1)),
        hops=hops,
    )


@st.composite
def values(draw: st.DrawFn, variables: list[str], nodes: list[str]) -> str:
    variable = draw(st.sampled_from(variables))
    attributes = ["id", "kind"] if variable in nodes else ["source", "type", "target"]
    part = draw(st.sampled_from(["", *attributes, *(f"properties.{name}" for name in NASTY[:6])]))
    return f"{variable}.{part}" if part else variable


def _filled(lens: Lens, session: Session) -> Lens:
    batch = batch_of(session, first_seq=1)
    lens.apply(batch.rows, Snapshot(id=SnapshotId(1), first_seq=1, last_seq=1, committed_at=batch.committed_at))
    return lens


@settings(max_examples=150, deadline=None)
@given(graphs(), patterns())
def test_a_pattern_in_sql_finds_what_trying_everything_finds(session: Session, query: Pattern) -> None:
    answers: list[Matches] = []
    for lens in (_filled(MemoryLens(), session), _filled(arrow_lens(), session)):
        with lens.view(LONG) as view:
            answers.append(view.matches(query))

    assert answers[0] == answers[1]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_text_from_outside_is_ever_part_of_the_sql(data: st.DataObject) -> None:
    """The same question with other texts is the same SQL, letter by letter; only the parameters differ."""

    def asked(text: str) -> Pattern:
        wanted = [condition(text, "=", text), condition(text, "exists")]
        return pattern(
            [node_pattern("a", ids=[text], where=wanted), node_pattern("b")],
            [edge_pattern("a", "b", name="e", where=wanted)],
            returns=["a", f"b.properties.{text}", f"e.properties.{text}"],
            order=[(f"b.properties.{text}", True)],
            distinct=data.draw(st.just(True)),
        )

    text = data.draw(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20))

    for statement in (page_of, count_of):
        assert statement(asked(text)).text == statement(asked("x")).text
        assert [type(value) for value in statement(asked(text)).parameters.values] == [
            type(value) for value in statement(asked("x")).parameters.values
        ]


def test_the_sql_is_one_statement_that_reads() -> None:
    query = pattern(
        [node_pattern("a"), node_pattern("b")], [edge_pattern("a", "b", hops=(1, 3))], returns=["a"], distinct=True
    )

    (statement,) = duckdb.extract_statements(page_of(query).text)

    assert statement.type == duckdb.StatementType.SELECT


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("nodes", lambda: pattern([])),
        ("nodes", lambda: pattern([node_pattern(f"n{number}") for number in range(9)])),
        ("nodes", lambda: pattern([node_pattern("a"), node_pattern("a")])),
        ("nodes", lambda: node_pattern("a b")),
        ("nodes.a.kind", lambda: node_pattern("a", kinds=["';--"])),
        ("nodes.a.id", lambda: node_pattern("a", ids=["\n"])),
        ("edges", lambda: pattern([node_pattern("a"), node_pattern("b")])),
        ("edges", lambda: pattern([node_pattern("a")], [edge_pattern("a", "a")] * 9)),
        ("edges[0].to", lambda: pattern([node_pattern("a")], [edge_pattern("a", "b")])),
        ("edges.hops.max", lambda: edge_pattern("a", "b", hops=(1, 4))),
        ("edges.hops.max", lambda: edge_pattern("a", "b", hops=(2, 1))),
        ("edges.as", lambda: edge_pattern("a", "b", hops=(1, 2), name="e")),
        ("return", lambda: pattern([node_pattern("a")], returns=["b"])),
        ("return", lambda: pattern([node_pattern("a")], returns=["a.name"])),
        ("return", lambda: pattern([node_pattern("a")], returns=["a."])),
        ("order", lambda: pattern([node_pattern("a")], order=[("a.id", False)], distinct=True)),
        (
            "order",
            lambda: pattern([node_pattern("a")], [edge_pattern("a", "a", name="e")], order=[("e", False)]),
        ),
        ("different", lambda: pattern([node_pattern("a")], different=[("a", "a")])),
        ("limit", lambda: pattern([node_pattern("a")], limit=1001)),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_field(field: str, make: Callable[[], object]) -> None:
    with pytest.raises(InvalidQueryError) as refused:
        make()

    assert refused.value.parameter == field
