"""Composes what keeps a sidecar's bundle: the feed that it has, the keeper, and what takes pushes."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from aeterna.cedar.adapters.directory import DirectoryBundleSource, read_schema
from aeterna.policy.adapters.token_file import TokenFile
from aeterna.policy.adapters.version_file import VersionFile
from aeterna.policy.api.admin import AdminApp
from aeterna.policy.api.feed_metrics import FeedMetrics
from aeterna.policy.usecases.keeping import Keeper, PolledFeed
from aeterna.policy.usecases.publishing import Publisher
from aeterna.policy.usecases.pushing import PushedFeed
from aeterna.policy.usecases.staging import Staging
from aeterna.service.beside import Beside
from aeterna.service.clock import steady_clock, system_clock
from aeterna.service.tls import trusted

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from aeterna.cedar.ports import Compiler
    from aeterna.policy.adapters.state_folder import StateFolder
    from aeterna.policy.ports import BundleSource, Resync
    from aeterna.policy.settings import PolicySettings

# What runs as long as its process, once it is called.
Run: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What keeps a sidecar's bundle: once in every sidecar, in its only process or in the parent of its workers."""

    keeper: Keeper
    beside: Sequence[Run]


def keeping(
    settings: PolicySettings,
    publications: StateFolder,
    compiler: Compiler,
    *,
    nudge: Callable[[], None],
    registry: CollectorRegistry,
) -> Kept:
    """Return the keeper of what is published, begun, and what runs beside it; raise what keeps it from beginning."""
    publications.claim()
    publisher = Publisher(publications, compiler, clock=system_clock, nudge=nudge)
    FeedMetrics(registry, publisher.state, state_faults=lambda: publications.faults)
    pushed = settings.fed_by == "pushes"
    feed, beside = _pushed(settings, publisher) if pushed else (_polled(settings, publisher, publications), ())
    keeper = Keeper(publisher, feed, seed=DirectoryBundleSource(settings.bundle) if settings.seeded else None)
    keeper.begin()
    return Kept(keeper=keeper, beside=(keeper.run, *beside))


def _polled(settings: PolicySettings, publisher: Publisher, publications: StateFolder) -> PolledFeed:
    """Return the feed from the folder or, where there is one, from the address."""
    source: BundleSource = DirectoryBundleSource(settings.bundle)
    if settings.bundle_url is not None and settings.bundle_keys is not None:
        # An HTTP client and its cryptography cost every start 120 ms and 12 MB, and only some need them.
        from aeterna.policy.adapters.http_bundle import HttpBundleSource  # noqa: PLC0415 - see above

        source = HttpBundleSource(
            settings.bundle_url,
            keys=settings.bundle_keys,
            versions=VersionFile(publications.folder),
            replica=settings.replica,
            timeout=settings.bundle_timeout,
            token=settings.bundle_token_file,
            trust=trusted(settings.bundle_ca_file),
        )
    return PolledFeed(
        source,
        publisher,
        interval=settings.refresh_interval,
        random=random.SystemRandom().random,
        local=settings.fed_by == "directory",
    )


def _pushed(settings: PolicySettings, publisher: Publisher) -> tuple[PushedFeed, Sequence[Run]]:
    """Return the feed that is pushed to, and the listener that takes the pushes."""
    schema = read_schema(settings.schema_file) if settings.schema_file is not None else None
    seed = DirectoryBundleSource(settings.bundle)
    staging = Staging(publisher, schema=schema, seed=seed, quiet=settings.quiet_period, clock=steady_clock)
    resync: Resync | None = None
    if settings.opal_url is not None:
        from aeterna.policy.adapters.opal_client import OpalClient  # noqa: PLC0415 - as for the bundle's address

        resync = OpalClient(settings.opal_url, timeout=settings.bundle_timeout)
    admin = AdminApp(
        staging,
        publisher,
        matches=TokenFile(settings.admin_token_file).matches if settings.admin_token_file is not None else None,
        max_body_bytes=settings.admin_max_body_bytes,
        timeout=settings.request_timeout,
    )
    listener = Beside(admin, port=settings.admin_port or 0, uds=settings.admin_socket)
    feed = PushedFeed(
        staging, publisher, resync=resync, interval=settings.opal_interval, random=random.SystemRandom().random
    )
    return feed, (listener.run,)
