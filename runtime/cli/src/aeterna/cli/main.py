"""The `aeterna` command: its groups, and how errors become exit statuses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from click.exceptions import NoArgsIsHelpError

from aeterna.cli import errors, output, settings
from aeterna.cli.lazy_group import Lazy, LazyGroup
from aeterna.contracts.errors import AeternaError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "up": Lazy("aeterna.cli.commands.up", "up", "Start the runtime on this machine and load the sample corpus."),
    "down": Lazy("aeterna.cli.commands.down", "down", "Stop the runtime of this machine."),
    "status": Lazy("aeterna.cli.commands.status", "status", "Tell how each part of the runtime is."),
    "synth": Lazy("aeterna.cli.commands.synth", "synth", "Synthesize the example stacks into cdktf.out."),
    "token": Lazy("aeterna.cli.commands.token", "token", "Mint a token for the local runtime."),
    "graph": Lazy("aeterna.cli.commands.graph", "graph", "Write and query the graph."),
    "knowledge": Lazy("aeterna.cli.commands.knowledge", "knowledge", "Put documents, and ask them."),
    "threads": Lazy("aeterna.cli.commands.threads", "threads", "Write and read conversations."),
    "policy": Lazy("aeterna.cli.commands.policy", "policy", "Propose, deploy and roll back policies."),
    "ingest": Lazy("aeterna.cli.commands.ingest", "ingest", "Load documents or an environment into the graph."),
    "mcp": Lazy(
        "aeterna.cli.commands.mcp_server",
        "mcp_server",
        "Serve the graph's tools to an agent on this machine.",
    ),
    "completion": Lazy("aeterna.cli.commands.completion", "completion", "Print the completion script of a shell."),
}

EPILOG = (
    "Exit status: 0 done, 1 failed or the answer is no, 2 wrong usage, 3 nothing to talk to, 4 refused by policy or "
    "token, 130 interrupted."
)


@click.group(cls=LazyGroup, lazy=COMMANDS, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aeterna-cli", message="aeterna %(version)s")
def aeterna() -> None:
    """Knowledge, memory, conversations and permissions of agents, in your own cloud."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status."""
    color, stdout = settings.color(), sys.stdout
    try:
        status: object = aeterna.main(args=list(arguments), prog_name="aeterna", standalone_mode=False, color=color)
    except (click.Abort, KeyboardInterrupt):
        return errors.INTERRUPTED
    except NoArgsIsHelpError as asked:
        click.echo(asked.format_message(), err=True)
        return errors.USAGE
    except (click.ClickException, AeternaError) as failed:
        problem, hint, exit_status = _explained(failed)
        output.error(problem, hint, color=color)
        return exit_status
    except SystemExit:
        # Whoever reads our output, such as `head`, has heard enough. To click that is a failure; all that it leaves to
        # tell it from others is that it has put another stdout in place, which ends without a flush.
        if sys.stdout is not stdout:
            return errors.DONE
        raise
    return status if isinstance(status, int) else errors.DONE


def _explained(failed: click.ClickException | AeternaError) -> tuple[str, str, int]:
    """Return what to say of a failure: the problem, a hint, and the exit status."""
    if isinstance(failed, click.UsageError):
        asked = failed.ctx.command_path if failed.ctx else "aeterna"
        return failed.format_message(), f"run: {asked} --help", errors.USAGE
    if isinstance(failed, click.ClickException):
        return failed.format_message(), "", failed.exit_code
    if isinstance(failed, errors.CommandError):
        return str(failed), failed.hint, failed.status
    return _client_failure(failed)


def _client_failure(failed: AeternaError) -> tuple[str, str, int]:
    from aeterna import client  # noqa: PLC0415 - imported already, or such an error could not have been raised

    if isinstance(failed, client.ConfigurationError):
        return failed.problem, failed.remedy, errors.UNREACHABLE
    for kind, hint, status in (
        (
            client.PolicyFileForbiddenError,
            "leave the file out, or ask an administrator of the platform",
            errors.REFUSED,
        ),
        (
            client.ForbiddenError,
            "mint a token with: aeterna token --role writer (admin to manage, erase, for policies; --agent for tasks)",
            errors.REFUSED,
        ),
        (client.UnauthenticatedError, "mint a token with: aeterna token --role writer", errors.REFUSED),
        (client.UnreachableError, "look at: aeterna status", errors.UNREACHABLE),
        (client.TagNotFoundError, "list them with: aeterna graph tags", errors.FAILED),
        (client.NotYetVisibleError, "", errors.FAILED),
        (client.SnapshotNotFoundError, "list what can be read with: aeterna graph snapshots", errors.FAILED),
    ):
        if isinstance(failed, kind):
            return str(failed), hint, status
    return str(failed), "", errors.FAILED


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))
