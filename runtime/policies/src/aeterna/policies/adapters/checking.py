"""Everything that Cedar refuses of a bundle, by way of cedarpy: one finding for each mistake, with file and line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import cedarpy

from aeterna.cedar.domain.bundle import tenant_of
from aeterna.cedar.domain.nesting import too_deep
from aeterna.cedar.domain.statements import statements
from aeterna.cedar.errors import BundleInvalidError
from aeterna.contracts.json_value import object_of
from aeterna.policies.domain import annotations
from aeterna.policies.domain.checked import Checked
from aeterna.policies.domain.findings import Finding, Kind, Place
from aeterna.policies.domain.typed.policy_json import policy_of
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.cedar.domain.statements import Statement
    from aeterna.cedar.ports import Compiler
    from aeterna.policies.domain.typed.policy import Policy

_SHOWN_CHARS: Final = 500
_NUMBERED: Final = re.compile(r"for (?:policy|template) `policy\d+`,? ?")
_TEMPLATE: Final = "a policy with slots decides nothing until it is linked, and a bundle has no links"
_NO_ID: Final = "every policy needs an @id: a decision names the policies that made it"


class CedarChecker:
    """Checks policies one by one, so that one mistake hides no other; the compiler has the last word on the whole."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler

    def check(self, bundle: Bundle) -> Checked:
        """Return the policies with everything that Cedar refuses of the bundle."""
        if deep := too_deep(bundle.schema, schema=True):
            return Checked(findings=(_invalid(Place(file=bundle.schema_file), f"the schema {deep}"),))
        try:
            schema = cedarpy.Schema.from_str(bundle.schema)
        except ValueError as exc:
            return Checked(findings=(_invalid(Place(file=bundle.schema_file), _said(exc)),))
        found = _Found(schema)
        for file, text in sorted(bundle.policies.items()):
            found.read(file, text)
        for tenant in (None, *found.tenants()):
            found.names(tenant)
        if found.whole:
            for tenant in (None, *found.tenants()):
                found.annotations(tenant)
        for file, text in sorted(bundle.entities.items()):
            found.entities(file, text)
        checked = found.checked()
        return checked if checked.findings else self._compiled(bundle, checked)

    def _compiled(self, bundle: Bundle, checked: Checked) -> Checked:
        """Return what is refused of the whole though every part is well, two files' worth of one entity for example."""
        try:
            self._compiler.compile(bundle)
        except BundleInvalidError as exc:
            refused = _invalid(Place(file=exc.where, line=exc.line), exc.reason)
            return Checked(policies=checked.policies, findings=(refused,))
        return checked


class _Found:
    """What has been read so far, and what was wrong with it."""

    def __init__(self, schema: cedarpy.Schema) -> None:
        self._schema = schema
        self._policies: list[Policy] = []
        self._findings: list[Finding] = []

    def checked(self) -> Checked:
        return Checked(policies=tuple(self._policies), findings=tuple(self._findings))

    def tenants(self) -> tuple[str, ...]:
        return tuple(sorted({one.tenant for one in self._shared_first() if one.tenant is not None}))

    def read(self, file: str, text: str) -> None:
        try:
            tenant = tenant_of(file)
        except BundleInvalidError as exc:
            self._findings.append(_invalid(Place(file=file), exc.reason))
            return
        for statement in statements(text):
            self._policy(statement, Place(file=file, line=statement.line), tenant)

    @property
    def whole(self) -> bool:
        """Whether every policy was read, so that one that is named and not there is a mistake of who names it."""
        return not self._findings

    def names(self, tenant: str | None) -> None:
        """Check the names of the policies that count together; those that are shared were checked before."""
        first: dict[str, Policy] = {}
        for one in self._shared_first():
            if one.tenant not in {None, tenant}:
                continue
            before = first.setdefault(one.id, one)
            # Shared policies come first, since their files may sort behind a tenant's.
            if before is not one and one.tenant == tenant:
                where = f"{before.place.file}:{before.place.line}"
                self._refuse(one.place, f'the @id "{one.id}" is taken by the policy in {where}', one.id, tenant)

    def annotations(self, tenant: str | None) -> None:
        """Check what the annotations of policies that count together say."""
        together = [policy for policy in self._policies if policy.tenant in {None, tenant}]
        for policy, mistake in annotations.mistakes(together):
            if policy.tenant == tenant:
                self._refuse(policy.place, mistake, policy.id, tenant)

    def entities(self, file: str, text: str) -> None:
        try:
            cedarpy.Entities.from_json_str(text, self._schema)
        except ValueError as exc:
            for which in self._misfits(text) or ("",):
                self._refuse(Place(file=file), f"{_said(exc)}{which}")

    def _misfits(self, text: str) -> list[str]:
        """Return which entities Cedar refuses when each is asked for itself; none of a text that is no list of them."""
        try:
            entities: list[Mapping[str, object]] = json.loads(text)
            return [f": {json.dumps(one['uid'])}" for one in entities if not self._fits(one)]
        except (ValueError, TypeError, KeyError):
            return []

    def _fits(self, entity: Mapping[str, object]) -> bool:
        try:
            cedarpy.Entities.from_json_str(json.dumps([entity]), self._schema)
        except ValueError:
            return False
        return True

    def _shared_first(self) -> list[Policy]:
        return sorted(self._policies, key=lambda policy: policy.tenant is not None)

    def _policy(self, statement: Statement, place: Place, tenant: str | None) -> None:
        if deep := too_deep(statement.text):
            self._refuse(place, f"a policy {deep}", tenant=tenant)
            return
        try:
            parsed = json.loads(cedarpy.policies_to_json_str(statement.text))
        except ValueError as exc:
            self._refuse(place, _said(exc), tenant=tenant)
            return
        except RecursionError:
            # Cedar's JSON holds a chain of operators as one level for each; the compiler refuses it for that, too.
            self._refuse(place, "a policy chains too many operators", tenant=tenant)
            return
        written = _only(parsed)
        if written is None:
            self._refuse(place, _TEMPLATE, tenant=tenant)
            return
        name = str(object_of(written.get("annotations", {})).get("id") or "")
        if not name:
            self._refuse(place, _NO_ID, tenant=tenant)
        validated = cedarpy.validate_policies(statement.text, self._schema)
        # Cedar says a mistake once for each type of principal that it is one for, in other words or in the same.
        for mistake in dict.fromkeys(_NUMBERED.sub("", error.error) for error in validated.errors):
            self._refuse(place, mistake[:_SHOWN_CHARS], name, tenant)
        if not name or not validated.validation_passed:
            return
        try:
            self._policies.append(policy_of(written, place=place, tenant=tenant, text=statement.text))
        except UndecidedError as exc:
            message = f"the analysis does not know what this policy says: {exc.reason}"
            self._findings.append(
                Finding(kind=Kind.UNDECIDED, policies=(name,), message=message, place=place, tenant=tenant)
            )

    def _refuse(self, place: Place, message: str, policy: str = "", tenant: str | None = None) -> None:
        self._findings.append(_invalid(place, message, policy, tenant))


def _only(parsed: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Mapping[str, object] | None:
    """Return the one policy of a text that holds one, or None for a template."""
    return next(iter(parsed.get("staticPolicies", {}).values()), None)


def _invalid(place: Place, message: str, policy: str = "", tenant: str | None = None) -> Finding:
    return Finding(kind=Kind.INVALID, policies=(policy,) if policy else (), message=message, place=place, tenant=tenant)


def _said(error: ValueError) -> str:
    return str(error)[:_SHOWN_CHARS]
