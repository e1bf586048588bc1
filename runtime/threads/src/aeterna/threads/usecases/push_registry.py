"""Registers receivers: an address is looked at before it is kept, and secrets are sealed before they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.domain.push import PushDraft
from aeterna.threads.domain.push_url import parse_push_url
from aeterna.threads.errors import PushUrlRefusedError

if TYPE_CHECKING:
    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import ThreadId
    from aeterna.threads.domain.push import ConfigId, PushConfig, PushSecrets
    from aeterna.threads.domain.push_url import PushRules, PushUrl
    from aeterna.threads.domain.task import AgentId
    from aeterna.threads.ports import PushConfigs, Resolver, SecretBox


class PushRegistry:
    """Keeps configurations of receivers that notifications may go to."""

    def __init__(self, configs: PushConfigs, box: SecretBox, resolver: Resolver, rules: PushRules) -> None:
        self._configs = configs
        self._box = box
        self._resolver = resolver
        self._rules = rules

    async def put(
        self,
        tenant: TenantId,
        agent: AgentId,
        task_id: ThreadId,
        config_id: ConfigId,
        *,
        owner: str,
        url: str,
        scheme: str | None,
        secrets: PushSecrets,
    ) -> PushConfig:
        """Keep a configuration; raise `PushUrlRefusedError`, or what `PushConfigs.put` raises."""
        parsed = parse_push_url(url, self._rules)
        await self._require_admitted(parsed)
        draft = PushDraft(config_id=config_id, url=parsed, scheme=scheme, secrets=secrets)
        sealed = self._box.seal(secrets, place=(tenant, task_id, config_id))
        return await self._configs.put(tenant, agent, task_id, draft, sealed, owner=owner)

    async def _require_admitted(self, url: PushUrl) -> None:
        """Refuse a name without addresses, or with one that is not public.

        This tells an owner of a mistake at once. What protects is the look at each connection.
        """
        if url.host.startswith("["):
            return
        addresses = await self._resolver.resolve(url.host, url.port)
        if not addresses:
            raise PushUrlRefusedError("its host has no address")
        if not all(self._rules.admits(address, url.host, url.port) for address in addresses):
            raise PushUrlRefusedError("its address is not public")
