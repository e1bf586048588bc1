"""Bundles read into trees of policies by way of cedarpy, which parses them."""

# pyright: reportUnknownMemberType=false
# cedarpy types its dictionaries as bare `dict`; what comes out of them is given its type here, at the edge.

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

import cedarpy

from aeterna.cedar.domain.bundle import tenant_of
from aeterna.cedar.domain.statements import statements
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.domain.findings import Place
from aeterna.policies.domain.typed.policy_json import policy_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.domain.typed.policy import Policy

_SHOWN_CHARS: Final = 300


class CedarPolicyReader:
    """Parses each file with Cedar, and takes what Cedar's JSON says of it."""

    def policies(self, bundle: Bundle) -> tuple[Policy, ...]:
        """Return every policy by file and then as written, or raise `BundleInvalidError`."""
        return tuple(
            policy for file, text in sorted(bundle.policies.items()) for policy in _of_file(file, text, tenant_of(file))
        )


def _of_file(file: str, text: str, tenant: str | None) -> Iterator[Policy]:
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except (ValueError, TypeError) as exc:
        raise BundleInvalidError(file, str(exc)[:_SHOWN_CHARS]) from exc
    except RecursionError as exc:
        line = next((one.line for one in statements(text) if _too_deep(one.text)), None)
        raise BundleInvalidError(file, "a policy is nested too deep to be analysed", line=line) from exc
    written = cast("Mapping[str, Mapping[str, object]]", parsed.get("staticPolicies", {}))
    for number, statement in enumerate(statements(text)):
        # Cedar calls what it parses policy0, policy1, … as they stand in the file; templates are numbered with them.
        policy = written.get(f"policy{number}")
        if policy is None:
            continue
        if not cast("Mapping[str, str]", policy.get("annotations", {})).get("id"):
            reason = "every policy needs an @id: a decision names the policies that made it"
            raise BundleInvalidError(file, reason, line=statement.line)
        yield policy_of(policy, place=Place(file=file, line=statement.line), tenant=tenant, text=statement.text)


def _too_deep(text: str) -> bool:
    try:
        json.loads(cedarpy.policies_to_json_str(text))
    except RecursionError:
        return True
    return False
