"""A pattern as one SQL statement over the relations ``node`` and ``edge``.

Every name in the text is made here: n0 is the first node variable, e1 the second edge. Everything that came from
outside is a parameter.
"""

# ruff: noqa: S608 - as said: no text from outside is ever part of the SQL, and a test attacks that

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.graph.adapters.questions.conditions import NUMERIC, Parameters, number, pointer, satisfies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.graph.domain.questions.filters import Condition
    from aeterna.graph.domain.questions.patterns import EdgePattern, Item, NodePattern, Pattern

_RANKS: Final = "['BOOLEAN', '', 'VARCHAR']"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """SQL, its parameters, and which node or edge variable each column holds the number of."""

    text: str
    parameters: Parameters
    columns: tuple[str, ...]


def count_of(query: Pattern) -> Statement:
    """Return the statement whose one row holds how many rows there are."""
    build = _Build(query)
    inner = build.grouped() if query.distinct else f"SELECT 1 FROM ({build.matches()})"
    return Statement(text=f"SELECT count(*) FROM ({inner})", parameters=build.parameters, columns=())


def page_of(query: Pattern) -> Statement:
    """Return the statement whose rows are the numbers of a page's nodes and edges, and one row more if there is."""
    build = _Build(query)
    inner = build.grouped() if query.distinct else build.sorted()
    window = f"LIMIT {build.parameters.add(query.limit + 1)} OFFSET {build.parameters.add(query.offset)}"
    return Statement(text=f"{inner} {window}", parameters=build.parameters, columns=build.columns)


class _Build:
    """Writes the parts of one statement."""

    def __init__(self, query: Pattern) -> None:
        self.parameters = Parameters()
        self._query = query
        self._places = {node.name: place for place, node in enumerate(query.nodes)}
        self._named = [(place, edge) for place, edge in enumerate(query.edges) if edge.name is not None]
        self._column = {node.name: f"n{place}" for place, node in enumerate(query.nodes)}
        self._column |= {str(edge.name): f"e{place}" for place, edge in self._named}

    @property
    def columns(self) -> tuple[str, ...]:
        """The variables whose numbers the rows hold."""
        return tuple(self._column)

    def matches(self) -> str:
        """Return the matches as numbers: each assignment of the variables once.

        Each step leads from the matches of some edges to those of one more. DuckDB orders the joins of single edges as
        it likes; the ends of several hops are made distinct at each hop, or walks would be counted by the million.
        """
        start = min(self._query.nodes, key=lambda node: (not node.ids, not node.where, not node.kinds))
        bound = [self._column[start.name]]
        steps = [f"s0 AS (SELECT number AS {bound[0]} FROM {self._nodes(start)})"]
        for place, edge in self._walk(start.name):
            steps += (
                self._single(len(steps), bound, place, edge)
                if edge.most == 1
                else self._several(len(steps), bound, edge)
            )
        where = [f"{self._column[one]} <> {self._column[other]}" for one, other in self._query.different]
        chosen = f"SELECT {'' if self._once else 'DISTINCT '}{', '.join(self._column.values())} FROM s{len(steps) - 1}"
        return f"WITH {', '.join(steps)} {chosen} WHERE {' AND '.join(where) or 'true'}"

    def sorted(self) -> str:
        """Return the numbers of the matches in their order."""
        numbers = ", ".join(f"m.{column}" for column in self._column.values())
        keys = [
            f"{part} {'DESC' if order.descending and turns else 'ASC'}"
            for order in self._query.order
            for part, turns in self._sort_key(order.item)
        ]
        return f"SELECT {numbers} FROM {self._joined()} ORDER BY {', '.join([*keys, *self._identity()])}"

    def grouped(self) -> str:
        """Return numbers that stand for each distinct row, in their order."""
        sort = [(order.item, order.descending) for order in self._query.order]
        sort += [(item, False) for item in self._query.items]
        keys = [(part, down and turns) for item, down in sort for part, turns in self._sort_key(item)]
        groups = [self._group_key(item) for item in self._query.items]
        inner = ", ".join(
            [
                *(f"m.{column} AS {column}" for column in self._column.values()),
                *(f"{key} AS k{place}" for place, (key, _) in enumerate(keys)),
                *(f"{group} AS g{place}" for place, group in enumerate(groups)),
            ]
        )
        chosen = ", ".join(f"any_value({column}) AS {column}" for column in self._column.values())
        order = ", ".join(f"any_value(k{place}) {'DESC' if down else 'ASC'}" for place, (_, down) in enumerate(keys))
        by = ", ".join(f"g{place}" for place in range(len(groups)))
        return f"SELECT {chosen} FROM (SELECT {inner} FROM {self._joined()}) GROUP BY {by} ORDER BY {order}"

    @property
    def _once(self) -> bool:
        """Whether the joins give each assignment once by themselves: no edge without a name can be doubled."""
        return all(
            edge.name is not None or (edge.most == 1 and edge.direction != "both" and len(edge.types) == 1)
            for edge in self._query.edges
        )

    def _walk(self, start: str) -> Iterator[tuple[int, EdgePattern]]:
        """Yield the edges so that each begins at a node that is known by then, several hops as late as can be."""
        known = {start}
        left = list(enumerate(self._query.edges))
        while left:
            ready = [each for each in left if not known.isdisjoint((each[1].source, each[1].target))]
            each = min(ready, key=lambda each: (each[1].most, not known.issuperset((each[1].source, each[1].target))))
            left.remove(each)
            known |= {each[1].source, each[1].target}
            yield each

    def _single(self, step: int, bound: list[str], place: int, edge: EdgePattern) -> list[str]:
        """Return the step over one edge, and add what it binds."""
        near, far, back = self._ends(bound, edge)
        chosen = [f"p.{column}" for column in bound]
        if edge.name is not None:
            chosen.append(f"f.number AS e{place}")
        tables = f"s{step - 1} AS p JOIN {self._edges(edge, back=back)} AS f ON f.a = p.{near}"
        if far in bound:
            tables += f" AND f.b = p.{far}"
        else:
            chosen.append(f"f.b AS {far}")
            tables += f" JOIN {self._nodes(self._pattern_of(far))} AS x ON x.number = f.b"
            bound.append(far)
        bound += [f"e{place}"] if edge.name is not None else []
        return [f"s{step} AS (SELECT {', '.join(chosen)} FROM {tables})"]

    def _several(self, step: int, bound: list[str], edge: EdgePattern) -> list[str]:
        """Return the steps over several hops, and add what they bind."""
        near, far, back = self._ends(bound, edge)
        kept = ", ".join(f"p.{column}" for column in bound)
        steps: list[str] = []
        for hop in range(edge.most):
            walked = f"{self._edges(edge, back=back)} AS f ON f.a = p.{'h' if hop else near}"
            steps.append(
                f"s{step + hop} AS (SELECT DISTINCT {kept}, f.b AS h FROM s{step + hop - 1} AS p JOIN {walked})"
            )
        reached = " UNION ".join(f"SELECT * FROM s{step + hop - 1}" for hop in range(edge.least, edge.most + 1))
        last = f"s{step + edge.most}"
        if far in bound:
            return [*steps, f"{last} AS (SELECT {kept} FROM ({reached}) AS p WHERE p.h = p.{far})"]
        bound.append(far)
        nodes = self._nodes(self._pattern_of(far))
        return [
            *steps,
            f"{last} AS (SELECT {kept}, p.h AS {far} FROM ({reached}) AS p JOIN {nodes} AS x ON x.number = p.h)",
        ]

    def _ends(self, bound: list[str], edge: EdgePattern) -> tuple[str, str, bool]:
        """Return the column to walk from, that to walk to, and whether that is against the pattern's own direction."""
        source, target = self._column[edge.source], self._column[edge.target]
        return (source, target, False) if source in bound else (target, source, True)

    def _pattern_of(self, column: str) -> NodePattern:
        return self._query.nodes[int(column[1:])]

    def _nodes(self, node: NodePattern) -> str:
        where = self._conditions(node.where)
        if node.ids:
            where.append(f"id IN (SELECT unnest({self.parameters.add(sorted(node.ids))}::VARCHAR[]))")
        if node.kinds:
            where.append(f"kind IN (SELECT unnest({self.parameters.add(sorted(node.kinds))}::VARCHAR[]))")
        return f"(SELECT number FROM node WHERE {' AND '.join(where) or 'true'})"

    def _edges(self, edge: EdgePattern, *, back: bool) -> str:
        """Return the edges with their ends as the walk meets them, a and then b."""
        where = self._conditions(edge.where)
        if edge.types:
            where.append(f"type IN (SELECT unnest({self.parameters.add(sorted(edge.types))}::VARCHAR[]))")
        wanted = " AND ".join(where) or "true"
        forward = f"SELECT number, source AS a, target AS b FROM edge WHERE {wanted}"
        against = f"SELECT number, target AS a, source AS b FROM edge WHERE {wanted}"
        if edge.direction == "both":
            # A loop points both ways and is still one edge.
            return f"({forward} UNION ALL {against} AND source <> target)"
        return f"({forward if (edge.direction == 'out') != back else against})"

    def _conditions(self, where: Sequence[Condition]) -> list[str]:
        return [satisfies("properties", each, self.parameters) for each in where]

    def _joined(self) -> str:
        """Return the matches with the nodes and edges that the order and the rows look at."""
        tables = [f"({self.matches()}) AS m"]
        tables += [f"JOIN node AS a{place} ON a{place}.number = m.n{place}" for place in range(len(self._query.nodes))]
        for place, _ in self._named:
            tables += [
                f"JOIN edge AS x{place} ON x{place}.number = m.e{place}",
                f"JOIN node AS s{place} ON s{place}.number = x{place}.source",
                f"JOIN node AS t{place} ON t{place}.number = x{place}.target",
            ]
        return " ".join(tables)

    def _identity(self) -> list[str]:
        nodes = [f"a{place}.id" for place in range(len(self._query.nodes))]
        edges = [
            part
            for place, edge in self._named
            for part in (f"x{place}.type", f"x{place}.source <> m.n{self._places[edge.source]}")
        ]
        return [*nodes, *edges]

    def _sort_key(self, item: Item) -> list[tuple[str, bool]]:
        """Return what a value is sorted by, and whether each of that turns round when the order descends."""
        if item.property is not None:
            return self._property_key(item)
        column = self._column[item.variable]
        place = column[1:]
        if column.startswith("n"):
            return [(f"a{place}.{item.attribute or 'id'}", True)]
        ends = {"source": f"s{place}.id", "type": f"x{place}.type", "target": f"t{place}.id"}
        wanted = [item.attribute] if item.attribute else ["type", "source", "target"]
        return [(ends[each], True) for each in wanted]

    def _property_key(self, item: Item) -> list[tuple[str, bool]]:
        """Sort by whether it is missing, by its type, then as a number or as a text."""
        properties, path = self._properties(item)
        kind = f"json_type({properties}, {path})"
        text = f"json_extract_string({properties}, {path})"
        return [
            (f"({kind} IS NULL OR {kind} = 'NULL')", False),
            (f"CASE WHEN {kind} IN {NUMERIC} THEN 1 ELSE coalesce(list_position({_RANKS}, {kind}) - 1, 3) END", True),
            (f"CASE WHEN {kind} IN {NUMERIC} THEN {number(text)} WHEN {text} = 'true' THEN 1.0 ELSE 0.0 END", True),
            (f"CASE WHEN {kind} IN ('VARCHAR', 'ARRAY', 'OBJECT') THEN {text} ELSE '' END", True),
        ]

    def _group_key(self, item: Item) -> str:
        column = self._column[item.variable]
        if item.property is not None:
            properties, path = self._properties(item)
            return f"coalesce(json_extract({properties}, {path})::VARCHAR, 'null')"
        match item.attribute:
            case "kind":
                return f"a{column[1:]}.kind"
            case "type":
                return f"x{column[1:]}.type"
            case "source" | "target":
                return f"x{column[1:]}.{item.attribute}"
            case _:
                return f"m.{column}"

    def _properties(self, item: Item) -> tuple[str, str]:
        column = self._column[item.variable]
        alias = ("a" if column.startswith("n") else "x") + column[1:]
        return f"{alias}.properties", self.parameters.add(pointer(str(item.property)))
