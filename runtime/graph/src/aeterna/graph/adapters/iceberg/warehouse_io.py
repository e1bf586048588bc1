"""The files of a warehouse, opened with the identity of the process and never with a key.

pyiceberg takes a key from wherever it finds one: from a REST server's answer, or from the properties of a table, which
whoever may write the table may set. Here a key is refused wherever it came from. Credentials that a REST server lends
for one table are no keys: they come with a session token and end by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pyiceberg.io import PY_IO_IMPL
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.typedef import EMPTY_DICT
from typing_extensions import override

from aeterna.graph.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.typedef import Properties

    from aeterna.graph.domain.catalogs import Warehouse

WAREHOUSE_FILE_IO: Final = f"{__name__}.WarehouseFileIO"
_CONNECT_SECONDS: Final = "5"
_REQUEST_SECONDS: Final = "30"
# The key, and the token that makes it one that ends by itself.
_KEYS: Final[Mapping[str, str | None]] = {
    "s3.access-key-id": "s3.session-token",
    "s3.secret-access-key": "s3.session-token",
    "client.access-key-id": "client.session-token",
    "client.secret-access-key": "client.session-token",
    "adls.account-key": None,
    "adls.connection-string": None,
    "adls.client-secret": None,
}


class WarehouseFileIO(PyArrowFileIO):
    """pyiceberg's files through Arrow, in folders, S3, Google Cloud Storage and Azure's Data Lake Storage."""

    def __init__(self, properties: Properties = EMPTY_DICT) -> None:
        """Refuse keys; raise `StorageError`."""
        for key, token in _KEYS.items():
            if properties.get(key) and not (token and properties.get(token)):
                raise StorageError("open the warehouse", f"the property {key} is a static key")
        super().__init__(properties)

    @staticmethod
    @override
    def parse_location(location: str, properties: Properties = EMPTY_DICT) -> tuple[str, str, str]:
        scheme, netloc, path = PyArrowFileIO.parse_location(location, properties)
        if scheme in {"abfs", "abfss"}:
            # Arrow wants the container first; the account is a property of the file system.
            parts = urlsplit(location)
            return scheme, netloc, f"{parts.username}{parts.path}"
        return scheme, netloc, path


def without_class(properties: Properties) -> Properties:
    """Return a table's properties without the class that would open its files: which one does is not the table's say.

    pyiceberg imports and calls whatever is named there.
    """
    return {name: value for name, value in properties.items() if name != PY_IO_IMPL}


def file_properties(warehouse: Warehouse, *, file_io: str, region: str | None = None) -> dict[str, str]:
    """Return what pyiceberg needs to know to open the files; ``region`` is used where the warehouse names none."""
    properties = {"warehouse": warehouse.location, PY_IO_IMPL: file_io}
    match warehouse.scheme:
        case "s3":
            properties |= {"s3.connect-timeout": _CONNECT_SECONDS, "s3.request-timeout": _REQUEST_SECONDS}
            # Without a region, pyiceberg asks the bucket in public, which a private network does not let through.
            if found := warehouse.region or region:
                properties["s3.region"] = found
            if warehouse.endpoint is not None:
                properties["s3.endpoint"] = warehouse.endpoint
        case "abfss" if warehouse.account is not None:
            properties["adls.account-name"] = warehouse.account
        case _:
            pass
    return properties
