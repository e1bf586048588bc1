"""`aeterna token`: a token for the local runtime, for any tenant and role."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from aeterna.cli import output
from aeterna.cli.errors import NotRunningError
from aeterna.cli.lifetime import Lifetime
from aeterna.cli.local.agent_environment import agent_environment, shell_lines
from aeterna.cli.local.state_dir import StateDir
from aeterna.cli.local.tokens import LOCAL, Claims, Signer
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.settings import CommandSettings

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path


@click.command(short_help="Mint a token for the local runtime.")
@click.option("--tenant", default=LOCAL.tenant, show_default=True, help="Whose data the token is for.")
@click.option("--subject", default=LOCAL.subject, show_default=True, help="Who holds the token.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(["reader", "writer", "runner", "admin"]),
    help="What the holder may do; may be given several times. [default: reader]",
)
@click.option("--kind", type=click.Choice(["user", "agent"]), default="user", show_default=True, help="What holds it.")
@click.option(
    "--agent", metavar="NAME", help="For an agent of yours: the same as --kind agent --role runner --subject NAME."
)
@click.option("--env", "as_env", is_flag=True, help="With --agent: print what the agent's process reads, for a shell.")
@click.option("--ttl", type=Lifetime(), default="1h", show_default=True, help="How long it is valid.")
@json_option
@state_dir_option
def token(  # noqa: PLR0913 - one for each option
    *,
    tenant: str,
    subject: str,
    roles: tuple[str, ...],
    kind: str,
    agent: str | None,
    as_env: bool,
    ttl: timedelta,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Mint a token with the local runtime's own key. In production tokens come from your identity provider.

    \b
    eval "$(aeterna token --agent helper --ttl 30d --env)"   # and then start the agent
    """
    state = StateDir(CommandSettings.read(state_dir).state_dir)
    if not state.key.exists():
        raise NotRunningError(state.root)
    now = datetime.now(UTC)
    if as_env and agent is None:
        raise click.UsageError("--env is for an agent: name it with --agent")
    if agent is not None:
        subject, kind, roles = agent, "agent", (*roles, "runner")
    claims = Claims(tenant=tenant, subject=subject, roles=roles or ("reader",), kind=kind, lifetime=ttl)
    minted = Signer.of(state).token(claims, now)
    if as_env and agent is not None:
        environment = agent_environment(state, agent, minted)
        output.answer(environment, as_json=as_json, human=lambda: click.echo(shell_lines(environment)))
        return
    document = {"token": minted, "expires_at": now + ttl, "tenant": tenant, "subject": subject, "roles": claims.roles}
    output.answer(document, as_json=as_json, human=lambda: click.echo(minted))
