"""Nothing is let in from everywhere: what has to be public stands behind an exemption that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Rule, literals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.binding import Resource

EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})


class OpenIngress(Rule):
    """Finds rules for incoming connections that name the whole internet."""

    code = "open-ingress"

    def findings(self, resource: Resource) -> Iterator[str]:
        """Name each argument that lets everybody in; what goes out is not looked at."""
        for path, text in literals(resource.arguments):
            if text in EVERYWHERE and "ingress" in f"{resource.terraform_resource_type}.{path}":
                yield f"{path} lets everybody in ({text}); name the clients"
