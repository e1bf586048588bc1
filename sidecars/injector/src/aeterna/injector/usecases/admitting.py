"""Admits pods: injects those that ask for it, and does to the others what the failure policy says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.contracts.injection import annotations_of, exemption_of, merged, names, parts, tenant_of, wish
from aeterna.contracts.injection.errors import InjectionError
from aeterna.contracts.platform import RESERVED_NAMESPACES, FailurePolicy
from aeterna.injector.domain.admission import Admission, Result
from aeterna.injector.domain.json_patch import changes

if TYPE_CHECKING:
    from aeterna.contracts.errors import AeternaError
    from aeterna.contracts.injection import PodParts, Wish
    from aeterna.injector.domain.admission import PodRequest
    from aeterna.injector.domain.definition import Definition
    from aeterna.injector.ports import Definitions

_REMEMBERED: Final = 256
_PROTECTED: Final = RESERVED_NAMESPACES - {"default"}


class Admitter:
    """Says what becomes of a pod, the same for the same pod and definition; it changes nothing itself."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._of: Definition | None = None
        self._parts: dict[tuple[Wish, str], PodParts] = {}

    def admit(self, request: PodRequest) -> Admission:
        """Return what becomes of the pod."""
        definition = self._definitions.current()
        if request.namespace in _PROTECTED or request.namespace == definition.installation.namespace:
            return Admission(result=Result.LEFT_ALONE, reason="protected_namespace")
        try:
            return self._admitted(request, definition)
        except InjectionError as exc:
            return self.refused(exc)

    def refused(self, error: AeternaError) -> Admission:
        """Return what becomes of a pod that cannot be served."""
        denies = self._definitions.current().installation.failure_policy is FailurePolicy.FAIL
        result = Result.DENIED if denies else Result.UNCHANGED
        return Admission(result=result, reason=error.code, message=str(error))

    def _admitted(self, request: PodRequest, definition: Definition) -> Admission:
        annotations = annotations_of(request.pod)
        asked = wish(annotations)
        if asked is None:
            opted_out = names.INJECT in annotations
            return Admission(result=Result.LEFT_ALONE, reason="opted_out" if opted_out else "not_asked")
        exemption = exemption_of(request.pod)
        if exemption is not None:
            message = f"no sidecars are injected: {exemption.why}"
            return Admission(result=Result.EXEMPT, reason=exemption.value, message=message)
        tenant = tenant_of(asked, request.namespace, definition.workloads)
        patch = tuple(changes(request.pod, merged(request.pod, self._parts_of(asked, tenant, definition))))
        if not patch:
            return Admission(result=Result.CURRENT, reason="current")
        return Admission(result=Result.INJECTED, reason="asked", patch=patch)

    def _parts_of(self, asked: Wish, tenant: str, definition: Definition) -> PodParts:
        """Return the parts, which are the same for all pods of a workload and often for many workloads."""
        if self._of is not definition:
            self._of = definition
            self._parts.clear()
        found = self._parts.get((asked, tenant))
        if found is None:
            found = parts(asked, definition.installation, tenant=tenant)
            if len(self._parts) >= _REMEMBERED:
                self._parts.clear()
            self._parts[asked, tenant] = found
        return found
