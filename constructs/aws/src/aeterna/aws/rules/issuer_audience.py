"""An issuer of tokens is believed only for those that are meant for AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import as_list, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

AUDIENCES: Final = frozenset({"sts.amazonaws.com", "sts.amazonaws.com.cn"})


def _of_others(inventory: Inventory) -> Iterator[Breach]:
    for issuer in inventory.of("aws_iam_openid_connect_provider"):
        audiences = [each for each in as_list(issuer.arguments.get("client_id_list")) if not is_expression(each)]
        foreign = sorted(str(each) for each in audiences if each not in AUDIENCES)
        if foreign:
            sentence = f"`client_id_list` believes tokens for {', '.join(foreign)}; name sts.amazonaws.com alone"
            yield Breach(subject=issuer, sentence=sentence)
        if not str(issuer.arguments.get("url", "https://")).startswith(("https://", "${")):
            yield Breach(subject=issuer, sentence="`url` is no https address; use the issuer's own")


RULE = Rule(
    id="aws-issuer-audience",
    title="An issuer is believed only for tokens that are meant for AWS",
    reason="A token that was made for another service, and leaked there, would open this account as well.",
    controls=Controls(cis=("6.7", "6.8"), nist=("IA-8", "IA-9"), soc2=("CC6.1",)),
    check=_of_others,
)
