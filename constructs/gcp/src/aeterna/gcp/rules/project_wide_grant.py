"""What opens one key, one secret or one bucket is granted there, and not on the whole project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

SCOPES: Final = ("project", "folder", "organization")
HOLDERS: Final = {
    "roles/cloudkms.cryptoKeyDecrypter": "the key",
    "roles/cloudkms.cryptoKeyEncrypter": "the key",
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": "the key",
    "roles/cloudkms.admin": "the key",
    "roles/secretmanager.secretAccessor": "the secret",
    "roles/secretmanager.admin": "the secret",
    "roles/storage.admin": "the bucket",
    "roles/storage.objectAdmin": "the bucket",
    "roles/storage.objectUser": "the bucket",
    "roles/storage.objectViewer": "the bucket",
    "roles/artifactregistry.reader": "the repository",
    "roles/artifactregistry.writer": "the repository",
}


def _too_wide(inventory: Inventory) -> Iterator[Breach]:
    for scope in SCOPES:
        for kind in ("member", "binding"):
            for binding in inventory.of(f"google_{scope}_iam_{kind}"):
                role = str(binding.arguments.get("role"))
                if role in HOLDERS and not binding.arguments.get("condition"):
                    sentence = f"{role} is granted on every one of the {scope}; grant it on {HOLDERS[role]}"
                    yield Breach(subject=binding, sentence=sentence)


RULE = Rule(
    id="gcp-project-wide-grant",
    title="A key, a secret or a bucket is opened where it is, and not on the whole project",
    reason="Granted on the project, the role opens every key and every secret that will ever be made there.",
    controls=Controls(cis=("3.3", "6.8"), nist=("AC-3", "AC-6", "AC-6(5)"), soc2=("CC6.1", "CC6.3")),
    check=_too_wide,
)
