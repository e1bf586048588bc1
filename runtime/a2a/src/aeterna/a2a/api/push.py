"""Push notification configurations as callers see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from a2a.types import AuthenticationInfo, TaskPushNotificationConfig

if TYPE_CHECKING:
    from aeterna.a2a.domain.rows import PushConfig


def shown(task_id: str, config: PushConfig) -> TaskPushNotificationConfig:
    """Return a configuration as callers see it: its secrets are never given out again."""
    found = TaskPushNotificationConfig(id=config.config_id, task_id=task_id, url=config.url)
    if config.scheme is not None:
        found.authentication.CopyFrom(AuthenticationInfo(scheme=config.scheme))
    return found
