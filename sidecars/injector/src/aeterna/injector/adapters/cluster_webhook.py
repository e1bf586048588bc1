"""The webhook's MutatingWebhookConfiguration, by way of lightkube."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from lightkube.core.exceptions import ApiError
from lightkube.resources.admissionregistration_v1 import MutatingWebhookConfiguration
from lightkube.types import PatchType

from aeterna.contracts.injection.names import WEBHOOK
from aeterna.injector.adapters.cluster_calls import missing, step, translated
from aeterna.injector.domain.registration import Hook, Registration, Requirement

if TYPE_CHECKING:
    from lightkube.core.async_client import AsyncClient
    from lightkube.models.admissionregistration_v1 import MutatingWebhook


class ClusterRegistrations:
    """The configuration of our name."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def read(self) -> Registration | None:
        """Return it, or None when the webhook is not registered."""
        with translated("read the webhook"):
            try:
                found = await self._client.get(MutatingWebhookConfiguration, WEBHOOK)
            except ApiError as exc:
                if missing(exc):
                    return None
                raise
        metadata = found.metadata
        version = metadata.resourceVersion if metadata is not None else None
        return Registration(hooks=tuple(_hook(each) for each in found.webhooks or ()), version=version or "")

    async def write(self, registration: Registration) -> None:
        """Write bundle and selector of each hook in its place; the version holds the places still."""
        steps = [step("replace", "/metadata/resourceVersion", registration.version)]
        for place, hook in enumerate(registration.hooks):
            bundle = base64.b64encode(hook.bundle.encode()).decode()
            steps.append(step("add", f"/webhooks/{place}/clientConfig/caBundle", bundle))
            steps.append(step("add", f"/webhooks/{place}/namespaceSelector", _selector(hook)))
        with translated("write the webhook"):
            await self._client.patch(MutatingWebhookConfiguration, WEBHOOK, steps, patch_type=PatchType.JSON)


def _hook(found: MutatingWebhook) -> Hook:
    selector = found.namespaceSelector
    return Hook(
        name=found.name,
        bundle=_text(found.clientConfig.caBundle),
        labels=tuple(sorted((selector.matchLabels or {}).items())) if selector is not None else (),
        requirements=tuple(
            Requirement(key=each.key, operator=each.operator, values=tuple(each.values or ()))
            for each in (selector.matchExpressions or () if selector is not None else ())
        ),
    )


def _selector(hook: Hook) -> dict[str, object]:
    selector: dict[str, object] = {"matchLabels": dict(hook.labels)} if hook.labels else {}
    if hook.requirements:
        selector["matchExpressions"] = [_expression(each) for each in hook.requirements]
    return selector


def _expression(requirement: Requirement) -> dict[str, object]:
    expression: dict[str, object] = {"key": requirement.key, "operator": requirement.operator}
    return expression | {"values": list(requirement.values)} if requirement.values else expression


def _text(bundle: str | None) -> str:
    try:
        return base64.b64decode(bundle or "").decode(errors="replace")
    except binascii.Error:
        return ""
