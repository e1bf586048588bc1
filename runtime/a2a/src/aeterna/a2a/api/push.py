"""Push notification configurations between the protocol's words and the kit's."""

from __future__ import annotations

from a2a.types import AuthenticationInfo, TaskPushNotificationConfig

from aeterna.a2a.domain.rows import PushConfig


def parsed(task_id: str, config: TaskPushNotificationConfig) -> PushConfig:
    """Return what is to be kept; without an id of its own a configuration has the task's, as the SDK has it."""
    authentication = config.authentication if config.HasField("authentication") else None
    return PushConfig(
        config_id=config.id or task_id,
        url=config.url,
        token=config.token or None,
        scheme=None if authentication is None else authentication.scheme or None,
        credentials=None if authentication is None else authentication.credentials or None,
    )


def shown(task_id: str, config: PushConfig) -> TaskPushNotificationConfig:
    """Return a configuration as callers see it: its secrets are never given out again."""
    found = TaskPushNotificationConfig(id=config.config_id, task_id=task_id, url=config.url)
    if config.scheme is not None:
        found.authentication.CopyFrom(AuthenticationInfo(scheme=config.scheme))
    return found
