"""Keeps large parts in an object store: a folder, S3, Google Cloud Storage or Azure Blob, by workload identity."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

from aeterna.threads.errors import ObjectsUnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from obstore.store import ClientConfig, RetryConfig

    from aeterna.threads.domain.removal import ObjectKey

# A request of a client waits for us: better a clear refusal than a wait beyond its own limit.
_CLIENT: Final[ClientConfig] = {"timeout": timedelta(seconds=20), "connect_timeout": timedelta(seconds=5)}
_RETRY: Final[RetryConfig] = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}


class ObstoreObjectStore:
    """An `ObjectStore` in whatever obstore reaches; build it with `object_store`."""

    def __init__(self, store: LocalStore | S3Store | GCSStore | AzureStore) -> None:
        """Take the store, already at the folder or prefix that holds the tenants' folders."""
        self._store = store

    async def put(self, key: ObjectKey, content: bytes) -> None:
        """See `ObjectStore.put`. Every store makes an object appear whole or not at all."""
        with _translated():
            await obstore.put_async(self._store, key.path, content)

    async def get(self, key: ObjectKey) -> bytes | None:
        """See `ObjectStore.get`."""
        with _translated():
            try:
                found = await obstore.get_async(self._store, key.path)
            except FileNotFoundError:
                return None
            return bytes(await found.bytes_async())

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        """See `ObjectStore.delete`."""
        with _translated():
            for key in keys:
                try:
                    await obstore.delete_async(self._store, key.path)
                except FileNotFoundError:
                    continue


def object_store(address: str, *, allow_http: bool = False) -> ObstoreObjectStore:
    """Return the store at an address as in `aeterna.threads.settings.RetentionSettings`.

    Who we are comes from the environment that the platform gives a pod: IRSA or pod identity, a metadata server, or a
    federated token. The address holds no secret. ``allow_http`` is for a test's own endpoint: a cloud is asked by TLS.
    """
    client: ClientConfig = {**_CLIENT, "allow_http": allow_http}
    parts = urlsplit(address)
    prefix = parts.path.strip("/") or None
    match parts.scheme:
        case "file":
            return ObstoreObjectStore(LocalStore(parts.path, mkdir=True))
        case "s3":
            store = S3Store(parts.netloc, prefix=prefix, client_options=client, retry_config=_RETRY)
        case "gs":
            store = GCSStore(parts.netloc, prefix=prefix, client_options=client, retry_config=_RETRY)
        case _:
            container, _, below = parts.path.strip("/").partition("/")
            store = AzureStore(
                container,
                account_name=parts.netloc,
                prefix=below or None,
                client_options=client,
                retry_config=_RETRY,
            )
    return ObstoreObjectStore(store)


@contextmanager
def _translated() -> Generator[None]:
    """Raise an error of the driver, or of the folder's file system, as ours."""
    try:
        yield
    except (BaseError, OSError) as exc:
        raise ObjectsUnavailableError from exc
