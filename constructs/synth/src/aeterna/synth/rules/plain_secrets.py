"""No secret is written down in a stack: it would be in the repository, the document, the plan and the state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Rule, literals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.binding import Resource

SECRET: Final = re.compile(r"(?:^|_)(?:password|passwords|secret_string|secret_binary|auth_token|private_key|api_key)$")


class PlainSecrets(Rule):
    """Finds arguments that hold a secret as a literal. A reference to one, or a write-only argument, is accepted."""

    code = "plain-secret"

    def findings(self, resource: Resource) -> Iterator[str]:
        """Name each argument that holds a secret."""
        for path, text in literals(resource.arguments):
            if text and SECRET.search(path.rsplit(".", 1)[-1]):
                yield f"{path} is a secret in plain text; let the service make it, or use the write-only argument"
