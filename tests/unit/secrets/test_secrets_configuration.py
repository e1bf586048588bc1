"""The configuration of a pod's secrets: what it says, and what is refused without being repeated."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from aeterna.contracts.injection import names
from aeterna.secrets.adapters.configuration_file import read_configuration
from aeterna.secrets.domain.configuration import (
    AwsLogin,
    AwsSource,
    AzureSource,
    GcpSource,
    JwtLogin,
    KubernetesLogin,
    VaultSource,
    WrappedLogin,
)
from aeterna.secrets.errors import ConfigurationInvalidError

VAULT = """
sources:
  vault: {kind: vault, address: "https://vault.example:8200", login: {method: kubernetes, role: app}}
"""
USER = "secrets:\n  database: {source: vault, dynamic: database/creds/app}\n"


def written(folder: Path, text: str, **beside: str) -> Path:
    """Write a document, and what lies beside it."""
    (folder / "secrets.yaml").write_text(text, "utf-8")
    for name, content in beside.items():
        (folder / name.replace("_", ".")).write_text(content, "utf-8")
    return folder


def test_a_vault_is_entered_by_the_pods_own_token_unless_it_says_otherwise(tmp_path: Path) -> None:
    found = read_configuration(written(tmp_path, VAULT + USER))

    assert found.sources["vault"] == VaultSource(
        address="https://vault.example:8200",
        login=KubernetesLogin(role="app", token_file=Path(names.TOKEN_FILE), mount="kubernetes"),
    )
    assert found.secrets["database"].reference.engine == "dynamic"
    assert found.secrets["database"].grace == timedelta(minutes=1)
    assert found.secrets["database"].keep is None


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ("{method: jwt, role: app, token_file: /t}", JwtLogin(role="app", token_file=Path("/t"), mount="jwt")),
        ("{method: aws, role: app}", AwsLogin(role="app", region="us-east-1", mount="aws")),
        (
            "{method: aws, role: app, region: eu-west-1, server_id: v}",
            AwsLogin(role="app", region="eu-west-1", server_id="v"),
        ),
        ("{method: wrapped, token_file: /w}", WrappedLogin(token_file=Path("/w"), creation_path="auth/token/create")),
    ],
)
def test_every_way_into_a_vault_can_be_named(tmp_path: Path, login: str, expected: object) -> None:
    document = VAULT.replace("{method: kubernetes, role: app}", login) + USER

    source = read_configuration(written(tmp_path, document)).sources["vault"]

    assert isinstance(source, VaultSource)
    assert source.login == expected


def test_the_clouds_secret_managers_are_sources_too(tmp_path: Path) -> None:
    document = """
sources:
  aws: {kind: aws, region: eu-central-1}
  gcp: {kind: gcp, project: payments}
  azure: {kind: azure, vault_url: "https://payments.vault.azure.net"}
secrets:
  stripe: {source: aws, name: "prod/stripe", version: AWSCURRENT}
  slack: {source: gcp, name: slack, decode: text}
  mail: {source: azure, name: mail, interval: 300, keep: 86400}
"""
    found = read_configuration(written(tmp_path, document))

    assert found.sources == {
        "aws": AwsSource(region="eu-central-1"),
        "gcp": GcpSource(project="payments"),
        "azure": AzureSource(vault_url="https://payments.vault.azure.net"),
    }
    assert found.secrets["mail"].keep == timedelta(days=1)
    assert found.secrets["slack"].reference.decode == "text"


def test_a_template_can_lie_beside_the_document(tmp_path: Path) -> None:
    document = VAULT + USER + "files:\n  - {file: app.ini, template_file: app.j2}\n"

    found = read_configuration(written(tmp_path, document, app_j2="user={{ database.username }}"))

    assert found.files[0].template == "user={{ database.username }}"


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ("sources: {", "secrets.yaml"),
        ("[]", "secrets.yaml"),
        ("", "secrets.yaml"),
        ("sources: 2026-13-45", "secrets.yaml"),
        ("[" * 5000, "secrets.yaml"),
        (VAULT, "secrets"),
        (VAULT + "secrets: {}", "secrets"),
        (VAULT + "secrets:\n  database: {source: other, dynamic: x}\n", "secrets.database.source"),
        (VAULT + "secrets:\n  database: {source: vault}\n", "secrets.database"),
        (VAULT + "secrets:\n  database: {source: vault, dynamic: x, kv: y}\n", "secrets.database"),
        (VAULT + "secrets:\n  database: {source: vault, name: x}\n", "secrets.database"),
        (VAULT + "secrets:\n  database: {source: vault, dynamic: x, version: 3}\n", "secrets.database"),
        (VAULT + "secrets:\n  Data-base: {source: vault, dynamic: x}\n", "secrets.Data-base"),
        (VAULT + "secrets:\n  database: {source: vault, dynamic: ../x}\n", "secrets.database.dynamic"),
        (VAULT + "secrets:\n  database: {source: vault, dynamic: 'x?y'}\n", "secrets.database.dynamic"),
        (VAULT + "secrets:\n  database: {source: vault, dynamic: /x}\n", "secrets.database.dynamic"),
        (VAULT + "secrets:\n  database: {source: vault, dynamic: x, interval: 0}\n", "secrets.database.interval"),
        (VAULT + "secrets:\n  database: {source: vault, dynamic: x, grace: -1}\n", "secrets.database.grace"),
        (VAULT + "secrets:\n  database: {source: vault, dynamic: x, lease: 5}\n", "secrets.database.lease"),
        (VAULT.replace("https", "http") + USER, "sources.vault.vault.address"),
        (VAULT.replace("https://", "https://me:pw@") + USER, "sources.vault.vault.address"),
        (VAULT.replace(":8200", ":me") + USER, "sources.vault.vault.address"),
        (VAULT + "secrets:\n  database: {source: vault, kv: x, keep: P9000000D}\n", "secrets.database.keep"),
        (VAULT.replace("kubernetes", "userpass") + USER, "sources.vault.vault.login"),
        (VAULT + USER + "files: [{file: a, template_file: ../b}]", "files.template_file"),
        (VAULT + USER + "files: [{file: a, template_file: b, template: c}]", "files"),
        (VAULT + USER + "files: [{file: a, template_file: b}]", "b"),
    ],
)
def test_what_cannot_work_is_refused_by_its_place(tmp_path: Path, document: str, where: str) -> None:
    with pytest.raises(ConfigurationInvalidError) as raised:
        read_configuration(written(tmp_path, document))
    assert where in str(raised.value)


def test_what_somebody_wrote_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    document = VAULT + "secrets:\n  database: {source: vault, dynamic: 'canary with spaces'}\n"

    with pytest.raises(ConfigurationInvalidError) as raised:
        read_configuration(written(tmp_path, document))
    assert "canary" not in str(raised.value)


def test_a_plain_address_is_for_the_pod_itself_alone(tmp_path: Path) -> None:
    document = VAULT.replace("https://vault.example:8200", "http://127.0.0.1:8200") + USER

    found = read_configuration(written(tmp_path, document)).sources["vault"]

    assert isinstance(found, VaultSource)
    assert found.address == "http://127.0.0.1:8200"


def test_a_folder_without_a_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalidError):
        read_configuration(tmp_path)
