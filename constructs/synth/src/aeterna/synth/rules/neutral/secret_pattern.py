"""No text in a stack has the form of a credential, whatever the argument is called."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import literals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.synth.rules.inventory import Inventory

FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "an access key": re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
    "an API key": re.compile(r"(?<![\w-])AIza[\w-]{35}(?![\w-])"),
    "a token of a code host": re.compile(r"(?<!\w)(?:gh[pousr]_\w{36,}|github_pat_\w{22,}|glpat-[\w-]{20,})"),
    "a token of a chat": re.compile(r"(?<!\w)xox[abprs]-[\w-]{10,}"),
    "a signed token": re.compile(r"(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a key of a storage account": re.compile(r"AccountKey=[A-Za-z0-9+/]{40,}"),
    "a password in an address": re.compile(r"\w+://[^\s/:@]+:[^\s/:@${]+@"),
}
ENCODED: Final = frozenset({"custom_data", "user_data", "user_data_base64"})
"""Where a start script stands in base64."""
_MAY_BE_ONE: Final = re.compile(r"-----BEGIN|A[KS]IA|AIza|gh[pousr]_|github_pat_|glpat-|xox|eyJ|AccountKey=|://")
"""One look that most texts fail, before the eight."""


def _of_that_form(inventory: Inventory) -> Iterator[Breach]:
    for subject in inventory.subjects:
        for path, written in literals(subject.arguments):
            text = _decoded(written) if path.rpartition(".")[2] in ENCODED else written
            if not _MAY_BE_ONE.search(text):
                continue
            for form, pattern in FORMS.items():
                if pattern.search(text):
                    sentence = f"{path} holds {form}; revoke it, and refer to where the new one is kept"
                    yield Breach(subject=subject, sentence=sentence)


def _decoded(text: str) -> str:
    """Return what a text in base64 says, or the text itself where it is none."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except ValueError:
        return text


RULE = Rule(
    id="secret-pattern",
    title="No text has the form of a credential",
    reason="Credentials end up in start scripts, tags and descriptions, where nobody looks for them.",
    controls=Controls(cis=("3.11", "16.12"), nist=("IA-5(7)", "SC-28"), soc2=("CC6.1",)),
    check=_of_that_form,
)
