"""Nothing accepts a TLS older than 1.2."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="tls-version",
    title="Nothing accepts a TLS older than 1.2",
    reason="TLS 1.0 and 1.1 are withdrawn (RFC 8996): their ciphers can be broken.",
    controls=Controls(cis=("3.10",), nist=("SC-8(1)", "SC-13"), soc2=("CC6.7",)),
    topics=(Topic.TLS_VERSION,),
)
