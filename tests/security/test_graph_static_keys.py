"""No static key opens a catalog or a warehouse, wherever somebody may have put one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict
from pyiceberg.catalog.sql import SqlCatalog

from aeterna.api.main import application
from aeterna.api.settings import ApiSettings
from aeterna.aws.rest_catalog import signed_by
from aeterna.gcp.catalog import ENDPOINT
from aeterna.graph.adapters.iceberg.catalogs.keyless import refuse_static_keys
from aeterna.graph.adapters.iceberg.catalogs.rest import rest_properties
from aeterna.graph.adapters.iceberg.stores import IcebergGraphStores
from aeterna.graph.adapters.iceberg.warehouse_io import WAREHOUSE_FILE_IO, WarehouseFileIO, file_properties
from aeterna.graph.domain.catalogs import NAMESPACE, RestCatalog, catalog_of, warehouse_of
from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.errors import StorageError
from aeterna.graph.main import open_catalog
from fixtures.faulty_proxy import faulty_proxy
from fixtures.fix_catalogs import BUCKET, REGION, CatalogPlace
from fixtures.fix_graph import ACME, batch_of
from fixtures.fix_graph_api import api_settings

if TYPE_CHECKING:
    from pathlib import Path

SQLITE = "sqlite:////c.db"


def test_no_setting_could_hold_a_key() -> None:
    words = ("key", "secret", "password", "credential", "sas", "connection_string")

    # What is in a file that is mounted is in no environment: the key of the process's own certificate. An ARN only says
    # where a cloud keeps a secret, which it gives to the pod's own identity.
    named = [name for name in ApiSettings.model_fields if not name.endswith(("_file", "_secret_arn"))]
    assert [name for name in named if any(word in name for word in words)] == []


@pytest.mark.parametrize("found", ["env", "shared-credentials-file"])
def test_written_down_keys_of_aws_are_refused_before_they_are_used(
    aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    if found == "env":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    else:
        (tmp_path / "keys").write_text("[default]\naws_access_key_id = AKIA\naws_secret_access_key = s3cret\n")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))

    for catalog, warehouse in [(f"glue://{REGION}", "/w"), (SQLITE, f"s3://{BUCKET}?region={REGION}&endpoint={aws}")]:
        with pytest.raises(StorageError, match="open the catalog") as raised:
            open_catalog(catalog_uri=catalog, warehouse=warehouse)
        assert found in raised.value.reason
        assert "s3cret" not in raised.value.reason


def test_the_identity_of_the_pod_is_no_key(aws: str) -> None:
    open_catalog(catalog_uri=f"glue://{REGION}", warehouse=f"s3://{BUCKET}?endpoint={aws}").close()


@pytest.mark.parametrize("name", ["AZURE_CLIENT_SECRET", "AZURE_STORAGE_KEY", "AZURE_STORAGE_CONNECTION_STRING"])
def test_keys_of_azure_in_the_environment_are_refused(name: str) -> None:
    with pytest.raises(StorageError):
        refuse_static_keys(catalog_of(SQLITE), warehouse_of("abfss://c@a.dfs.core.windows.net"), {name: "s3cret"})


def test_the_service_does_not_start_beside_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s3cret")
    settings = api_settings(tmp_path, warehouse="abfss://c@a.dfs.core.windows.net/w")

    with pytest.raises(StorageError) as raised:
        application(settings)

    assert "AZURE_CLIENT_SECRET" in raised.value.reason


@pytest.mark.parametrize("kind", ["service_account", "authorized_user", None])
def test_key_files_of_google_are_refused(tmp_path: Path, kind: str | None) -> None:
    (tmp_path / "key.json").write_text(json.dumps({"type": kind, "private_key": "s3cret"}) if kind else "s3cret")
    environment = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json")}

    with pytest.raises(StorageError):
        refuse_static_keys(catalog_of(SQLITE), warehouse_of("gs://b"), environment)


def test_a_federation_file_of_google_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "federation.json").write_text('{"type": "external_account"}')

    environment = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "federation.json")}

    refuse_static_keys(catalog_of(SQLITE), warehouse_of("gs://b"), environment)


@pytest.mark.parametrize("where", ["variables", "a file at home"])
def test_pyicebergs_own_configuration_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """It reads variables and a file by itself for catalogs that are loaded by name; ours are built, and not loaded."""
    keys = {"s3.access-key-id": "AKIA", "s3.secret-access-key": "s3cret", "adls.account-key": "s3cret"}
    if where == "variables":
        for key, value in keys.items():
            name = key.upper().replace(".", "__").replace("-", "_")
            monkeypatch.setenv(f"PYICEBERG_CATALOG__AETERNA__{name}", value)
            monkeypatch.setenv(f"PYICEBERG_CATALOG__DEFAULT__{name}", value)
    else:
        lines = "".join(f"    {key}: {value}\n" for key, value in keys.items())
        (tmp_path / ".pyiceberg.yaml").write_text(f"catalog:\n  aeterna:\n{lines}  default:\n{lines}")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("PYICEBERG_HOME", str(tmp_path))
    place = CatalogPlace(catalog_uri=f"sqlite:///{tmp_path}/c.db", warehouse=str(tmp_path / "w"))
    stores = place.open()
    stores.open(ACME).append(_batch(), parent=None)

    with place.table() as table:
        assert "s3cret" not in str({**table.io.properties, **table.catalog.properties})
    stores.close()


def _batch():  # noqa: ANN202 - a batch of one session
    return batch_of(session_of("a", subject="ada", nodes=[node_of("n:a", "Thing", {})]))


def _set(folder: Path, properties: dict[str, str]) -> None:
    """Set properties of the table as any other program on the same catalog can."""
    catalog = SqlCatalog("aeterna", uri=f"sqlite:///{folder}/c.db", warehouse=str(folder / "w"))
    with catalog.load_table((NAMESPACE, "acme")).transaction() as changes:
        changes.set_properties(properties)
    catalog.close()


KEYS = [
    {"s3.access-key-id": "AKIA", "s3.secret-access-key": "s3cret"},
    {"client.access-key-id": "AKIA", "client.secret-access-key": "s3cret"},
    {"adls.account-key": "s3cret"},
    {"adls.connection-string": "AccountKey=s3cret"},
    {"adls.client-id": "i", "adls.tenant-id": "t", "adls.client-secret": "s3cret"},
]


@pytest.mark.parametrize("keys", KEYS, ids=lambda keys: next(iter(keys)))
def test_a_key_in_a_tables_properties_or_a_servers_answer_is_refused(tmp_path: Path, keys: dict[str, str]) -> None:
    """Who may write a table's properties would otherwise choose with whose rights its files are opened."""
    place = CatalogPlace(catalog_uri=f"sqlite:///{tmp_path}/c.db", warehouse=str(tmp_path / "w"))
    stores = place.open()
    stores.open(ACME).append(_batch(), parent=None)
    _set(tmp_path, keys)

    with pytest.raises(StorageError) as raised:
        stores.open(ACME).head()

    assert "s3cret" not in raised.value.reason
    stores.close()


def test_credentials_that_a_server_lends_for_a_while_are_no_keys() -> None:
    lent = {"s3.access-key-id": "ASIA", "s3.secret-access-key": "s", "s3.session-token": "t"}

    assert WarehouseFileIO(lent).properties == lent


def test_a_table_cannot_choose_the_class_that_opens_its_files(tmp_path: Path) -> None:
    """Pyiceberg would import it and call it: here a module that, once imported, could do anything."""
    place = CatalogPlace(catalog_uri=f"sqlite:///{tmp_path}/c.db", warehouse=str(tmp_path / "w"))
    stores = place.open()
    stores.open(ACME).append(_batch(), parent=None)
    with place.table() as table, table.transaction() as changes:
        changes.set_properties({"py-io-impl": "this.Zen"})

    assert stores.open(ACME).head() is not None
    assert "this" not in sys.modules
    stores.close()


def test_a_renewed_password_is_used_for_the_next_connection(tmp_path: Path, empty_database: str) -> None:
    login = conninfo_to_dict(empty_database)
    file = tmp_path / "token"
    file.write_text("first")
    address = (
        f"postgresql://postgres@/{login['dbname']}?host={login['host']}&port={login['port']}"
        f"&auth=file&token_file={file}"
    )
    opened = open_catalog(catalog_uri=address, warehouse=str(tmp_path / "w"))
    assert opened.engine is not None
    passwords: list[str] = []
    for token in ("first", "second"):
        file.write_text(token)
        opened.engine.dispose()
        with opened.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            passwords.append(driver.info.password)

    assert passwords == ["first", "second"]
    assert "first" not in str(opened.engine.url)
    opened.close()


@pytest.mark.needs("java", "mvn")
def test_a_renewed_token_is_sent_with_the_next_request(tmp_path: Path, rest_place: CatalogPlace) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    with faulty_proxy(rest_place.catalog_uri) as (address, trouble):
        opened = open_catalog(catalog_uri=f"{address}?auth=file&token_file={file}", warehouse=rest_place.warehouse)
        stores = IcebergGraphStores(opened)
        file.write_text("second")
        before = len(trouble.seen)
        stores.probe()
        stores.close()

    sent = [request.authorization for request, _ in trouble.seen]
    assert set(sent[:before]) == {"Bearer first"}
    assert set(sent[before:]) == {"Bearer second"}


@pytest.mark.needs("java", "mvn")
@pytest.mark.usefixtures("aws")
def test_requests_to_a_rest_catalog_on_aws_are_signed_by_the_pods_own_identity(rest_place: CatalogPlace) -> None:
    with faulty_proxy(rest_place.catalog_uri) as (address, trouble):
        opened = open_catalog(catalog_uri=f"{address}?auth=aws&region={REGION}", warehouse=rest_place.warehouse)
        stores = IcebergGraphStores(opened)
        stores.probe()
        stores.close()

    assert trouble.seen
    for request, _ in trouble.seen:
        assert request.authorization.startswith("AWS4-HMAC-SHA256 Credential=ASIATEST/")
        assert f"/{REGION}/glue/aws4_request" in request.authorization


def test_what_the_foundation_says_of_its_catalogs_is_what_their_client_is_told() -> None:
    """The outputs name properties of Iceberg's REST client; the address has to come to the same."""
    on_aws = catalog_of("https://glue.r.amazonaws.com/iceberg?warehouse=1&auth=aws&region=r&namespace=eu_graph")
    on_google = catalog_of(
        "https://biglake.googleapis.com/iceberg/v1/restcatalog?warehouse=bl://p&auth=google&project=p"
    )
    assert isinstance(on_aws, RestCatalog)
    assert isinstance(on_google, RestCatalog)

    signed = {name: str(value) for name, value in signed_by("glue", "r").items()}
    assert rest_properties(on_aws, {}, token=None).items() >= signed.items()
    assert rest_properties(on_google, {}, token=None)["header.x-goog-user-project"] == "p"
    assert on_google.uri == ENDPOINT


@pytest.mark.parametrize(
    ("warehouse", "expected"),
    [
        ("s3://b/p?region=r", {"s3.region": "r", "s3.connect-timeout": "5", "s3.request-timeout": "30"}),
        ("gs://b/p", {}),
        ("abfss://c@acc.dfs.core.windows.net/p", {"adls.account-name": "acc"}),
        ("/w", {}),
    ],
)
def test_what_the_drivers_are_told_of_a_warehouse_holds_no_key(warehouse: str, expected: dict[str, str]) -> None:
    place = warehouse_of(warehouse)

    properties = file_properties(place, file_io=WAREHOUSE_FILE_IO)

    assert properties == {"warehouse": place.location, "py-io-impl": WAREHOUSE_FILE_IO, **expected}


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("abfss://c@acc.dfs.core.windows.net/p/f.parquet", ("abfss", "c/p/f.parquet")),
        ("gs://b/p/f.parquet", ("gs", "b/p/f.parquet")),
        ("s3://b/p/f.parquet", ("s3", "b/p/f.parquet")),
        ("/w/f.parquet", ("file", "/w/f.parquet")),
    ],
)
def test_arrow_is_asked_for_a_file_by_its_container_and_path(location: str, path: tuple[str, str]) -> None:
    scheme, _, found = WarehouseFileIO.parse_location(location)

    assert (scheme, found) == path
