"""`aeterna completion`: the script that makes a shell complete our commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash: add to ~/.bashrc    eval "$(aeterna completion bash)"
    zsh:  add to ~/.zshrc     eval "$(aeterna completion zsh)"
    fish: aeterna completion fish > ~/.config/fish/completions/aeterna.fish
    """
    script = get_completion_class(shell)
    if script is None:
        message = f"click has no completion for {shell}"
        raise click.UsageError(message)
    root = ctx.find_root()
    click.echo(script(root.command, {}, "aeterna", "_AETERNA_COMPLETE").source())
