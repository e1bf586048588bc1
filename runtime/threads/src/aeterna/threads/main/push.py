"""Composes push notifications: who is told, the dispatcher that tells them, and what could not be told."""

from __future__ import annotations

import random
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

import httpcore

from aeterna.service.clock import steady_clock, system_clock
from aeterna.service.errors import SettingsInvalidError
from aeterna.threads.adapters.postgres_outbox import PostgresOutbox
from aeterna.threads.adapters.postgres_push import PostgresDeadLetters, PostgresPushConfigs
from aeterna.threads.adapters.postgres_tasks import PostgresTaskLog
from aeterna.threads.adapters.push_http import GuardedBackend, HttpCourier, PushLimits, tls_context
from aeterna.threads.adapters.push_metrics import PushMetrics
from aeterna.threads.adapters.push_secrets import AesGcmSecretBox
from aeterna.threads.adapters.push_signature import NotificationSigner
from aeterna.threads.adapters.resolver import SystemResolver
from aeterna.threads.api import dead_letter_routes, push_routes
from aeterna.threads.domain.push_url import PushRules
from aeterna.threads.main.ground import Part
from aeterna.threads.main.retention import large_values
from aeterna.threads.usecases.dispatch import Dispatcher, DispatchPolicy
from aeterna.threads.usecases.hosts import Hosts
from aeterna.threads.usecases.large_parts import LargePartsTaskLog
from aeterna.threads.usecases.push_registry import PushRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.threads.main.ground import Ground
    from aeterna.threads.settings import ThreadsSettings

_JOBS = "aeterna_threads_jobs"
_CONNECTIONS = 4


def push(ground: Ground) -> Part:
    """Return the part that tells receivers; without keys it registers none, and still shows what was given up."""
    settings = ground.settings
    if settings.push_secrets_key_file is None or settings.push_signing_key_file is None:
        return _without_keys(ground)
    box = AesGcmSecretBox.parse(_read(settings.push_secrets_key_file, "PUSH_SECRETS_KEY_FILE"))
    signer = NotificationSigner.parse(
        _read(settings.push_signing_key_file, "PUSH_SIGNING_KEY_FILE"), issuer=settings.push_issuer
    )
    rules = rules_of(settings)
    resolver = SystemResolver()
    courier = HttpCourier(
        signer,
        # httpcore defines it a second time, without a base, for where anyio is not installed.
        GuardedBackend(resolver, rules, cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())),
        tls_context(None if settings.push_ca_file is None else str(settings.push_ca_file)),
        PushLimits(total=settings.push_timeout),
    )
    jobs = ground.pool_of(_JOBS, most=_CONNECTIONS)
    policy = _policy(settings)
    dispatcher = Dispatcher(
        PostgresOutbox(jobs),
        LargePartsTaskLog(PostgresTaskLog(ground.pool), large_values(ground)),
        courier,
        box,
        rules=rules,
        hosts=Hosts(
            per_host=policy.per_host,
            tolerance=settings.push_tolerance,
            shortest=settings.push_first_wait,
            longest=settings.push_longest_wait,
            clock=steady_clock,
        ),
        policy=policy,
        observer=PushMetrics(ground.registry),
        clock=system_clock,
        chance=random.SystemRandom().random,
    )
    ground.grown.append(dispatcher.nudge)
    configs = PostgresPushConfigs(ground.pool, most=settings.push_configs_per_task)
    return Part(
        routers=[push_routes.router, dead_letter_routes.router],
        state={
            "push_registry": PushRegistry(configs, box, resolver, rules),
            "push_configs": configs,
            "push_jwks": signer.jwks(),
            "dead_letters": PostgresDeadLetters(ground.pool, dispatcher.nudge),
        },
        resources=[jobs, aclosing(courier)],
        works=[dispatcher.run, dispatcher.sweep],
        drains=[dispatcher.stop],
    )


def rules_of(settings: ThreadsSettings) -> PushRules:
    """Return where the operator lets notifications go."""
    return PushRules(
        ports=frozenset(settings.push_ports),
        private=frozenset(name.lower() for name in settings.push_private_hosts),
        http=settings.push_allow_http,
    )


def _without_keys(ground: Ground) -> Part:
    def nobody() -> None:
        """No dispatcher runs here."""

    return Part(
        routers=[push_routes.router, dead_letter_routes.router],
        state={
            "push_registry": None,
            "push_configs": PostgresPushConfigs(ground.pool, most=ground.settings.push_configs_per_task),
            "push_jwks": {"keys": []},
            "dead_letters": PostgresDeadLetters(ground.pool, nobody),
        },
    )


def _policy(settings: ThreadsSettings) -> DispatchPolicy:
    return DispatchPolicy(
        concurrency=settings.push_concurrency,
        per_host=settings.push_per_host,
        # Longer than an attempt may take, so that a lane is never delivered by two at once.
        lease=settings.push_timeout * 3,
        poll=settings.push_poll,
        first_wait=settings.push_first_wait,
        longest_wait=settings.push_longest_wait,
        attempts=settings.push_attempts,
        max_age=settings.push_max_age,
        most_waiting=settings.push_most_waiting,
    )


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        raise SettingsInvalidError([f"AETERNA_THREADS_{name}: the file cannot be read"]) from None
