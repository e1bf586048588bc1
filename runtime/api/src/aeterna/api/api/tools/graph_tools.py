"""The tools of the graph, by the names that agents know; knowledge's will be another such list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.api.api.bodies import NeighborsAnswer, NodeAnswer, PathAnswer, ReceiptBody
from aeterna.api.api.pattern_bodies import QueryAnswer
from aeterna.api.api.question_bodies import RelatedAnswer, SearchAnswer, SubgraphAnswer
from aeterna.api.api.requests import may_read, may_write
from aeterna.api.api.tools import graph_arguments as takes
from aeterna.api.api.tools import graph_reading as reads
from aeterna.api.api.tools import graph_writing as writes
from aeterna.api.api.tools.graph_reading import in_a_thread
from aeterna.api.api.tools.tool import AnyTool, Tool

if TYPE_CHECKING:
    from collections.abc import Callable


def graph_tools(new_id: Callable[[], str]) -> tuple[AnyTool, ...]:
    """Return the tools; ``new_id`` names the sessions of those that write."""
    return (*_lookups(), *_walks(), *_changes(new_id))


def _lookups() -> tuple[AnyTool, ...]:
    return (
        Tool(
            name="graph_search",
            title="Search by words",
            description="Find nodes by words in their ids and in the texts of their properties, the best first. Start "
            "here when you do not know a node's id.",
            effect="reads",
            arguments=takes.SearchArguments,
            answer=SearchAnswer,
            permitted=may_read,
            run=in_a_thread(reads.search),
        ),
        Tool(
            name="graph_node",
            title="Read a node",
            description="Return one node with all its properties by its id.",
            effect="reads",
            arguments=takes.NodeArguments,
            answer=NodeAnswer,
            permitted=may_read,
            run=in_a_thread(reads.node),
        ),
        Tool(
            name="graph_query",
            title="Match a pattern",
            description="Find all combinations of nodes and edges that fit a pattern, and return chosen values of them "
            "as rows, or count them. Use it for questions with several conditions at once. The pattern is data, not a "
            'query language: {"nodes": {"s": {"kind": "Service"}, "t": {"kind": "Team"}}, "edges": [{"from": "s", '
            '"to": "t", "type": "owned_by"}], "return": ["s.id", "t.id"]}.',
            effect="reads",
            arguments=takes.QueryArguments,
            answer=QueryAnswer,
            permitted=may_read,
            run=in_a_thread(reads.matches),
        ),
        Tool(
            name="graph_related",
            title="Find similar nodes",
            description="Find the nodes that are most like a node, because they are joined to the same rare neighbours "
            "(Adamic-Adar), and which neighbours those are. It finds what no single edge says.",
            effect="reads",
            arguments=takes.RelatedArguments,
            answer=RelatedAnswer,
            permitted=may_read,
            run=in_a_thread(reads.related),
        ),
    )


def _walks() -> tuple[AnyTool, ...]:
    return (
        Tool(
            name="graph_neighbors",
            title="Look around a node",
            description="Return the nodes around a node, nearest first, and the edges that lead to them; both "
            "directions by default, 1 to 5 steps.",
            effect="reads",
            arguments=takes.NeighborsArguments,
            answer=NeighborsAnswer,
            permitted=may_read,
            run=in_a_thread(reads.neighbors),
        ),
        Tool(
            name="graph_traverse",
            title="Walk from a node",
            description="Walk from a node along edges of some types in one direction, up to 10 steps, and return the "
            "nodes reached of which conditions hold: everything that depends on a service, all owners upstream.",
            effect="reads",
            arguments=takes.TraverseArguments,
            answer=NeighborsAnswer,
            permitted=may_read,
            run=in_a_thread(reads.traverse),
        ),
        Tool(
            name="graph_path",
            title="Find a path",
            description="Return one of the shortest paths from one node to another, of 10 hops at most: how two things "
            "are connected.",
            effect="reads",
            arguments=takes.PathArguments,
            answer=PathAnswer,
            permitted=may_read,
            run=in_a_thread(reads.path),
        ),
        Tool(
            name="graph_context",
            title="Gather context",
            description="Return the piece of the graph around some nodes with every edge between its nodes, as much as "
            "fits into max_bytes: what is farthest is left out first, and more_nodes says so.",
            effect="reads",
            arguments=takes.ContextArguments,
            answer=SubgraphAnswer,
            permitted=may_read,
            run=in_a_thread(reads.context),
        ),
    )


def _changes(new_id: Callable[[], str]) -> tuple[AnyTool, ...]:
    return (
        Tool(
            name="graph_link",
            title="Write an edge",
            description="Write an edge from one node to another, and nodes with it, in one commit that is durable when "
            "it is answered. What is there already is replaced whole, properties included. Nodes that do not exist yet "
            "must be among nodes.",
            effect="removes",
            arguments=takes.LinkArguments,
            answer=ReceiptBody,
            permitted=may_write,
            run=writes.link(new_id),
        ),
        Tool(
            name="graph_unlink",
            title="Remove an edge",
            description="Remove the edge of a type between two nodes; the nodes stay. The past still shows it with "
            "as_of. To remove what is not there does nothing.",
            effect="removes",
            arguments=takes.UnlinkArguments,
            answer=ReceiptBody,
            permitted=may_write,
            run=writes.unlink(new_id),
        ),
    )
