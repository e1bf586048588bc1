"""`aeterna threads`: conversations, the tasks of agents, and what an operator does for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aeterna.cli.lazy_group import Lazy, LazyGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONVERSATIONS = "aeterna.cli.commands.thread_conversations"
_RETENTION = "aeterna.cli.commands.thread_retention"
COMMANDS: Mapping[str, Lazy] = {
    "list": Lazy(_CONVERSATIONS, "list_", "List the conversations."),
    "search": Lazy("aeterna.cli.commands.thread_search", "search", "Find what conversations say."),
    "show": Lazy(_CONVERSATIONS, "show", "Show the messages of a conversation."),
    "append": Lazy(_CONVERSATIONS, "append", "Append a message to a conversation."),
    "tail": Lazy(_CONVERSATIONS, "tail", "Follow a conversation."),
    "tasks": Lazy("aeterna.cli.commands.thread_tasks", "tasks", "The tasks of an agent."),
    "dead-letters": Lazy(
        "aeterna.cli.commands.thread_dead_letters", "dead_letters", "Notifications that were given up."
    ),
    "erase": Lazy(_RETENTION, "erase", "Erase a subject, a thread or everything, for ever."),
    "erasure": Lazy(_RETENTION, "erasure", "Show an erasure, or list them."),
    "holds": Lazy(_RETENTION, "holds", "Legal holds: what must not be removed."),
    "usage": Lazy(_RETENTION, "usage", "What the tenant holds and may hold."),
    "leases": Lazy("aeterna.cli.commands.thread_leases", "leases", "Who runs which task."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, short_help="Write and read conversations.")
def threads() -> None:
    """Write and read the conversations of the token's tenant."""
