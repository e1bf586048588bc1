"""Write the CycloneDX bill of materials of an environment: what is installed in it, not what was declared.

usage: python3 .make/sbom.py SITE_PACKAGES NAME VERSION > sbom.json

SITE_PACKAGES is read as files, so the environment may be inside the mounted root of a container image, which this
machine could not run. The document depends on nothing else: no time and no serial number is in it.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

# Core metadata says it in three ways; the newest is an SPDX expression, the oldest may be a whole licence text.
LONGEST_LICENCE_NAME = 100


def canonical(name: str) -> str:
    """Return the name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(distribution: Distribution) -> str | None:
    """Return what the distribution says of its licence in one line, if it does."""
    metadata = distribution.metadata
    if expression := metadata.get("License-Expression"):
        return expression
    classifiers = metadata.get_all("Classifier", [])
    classified = [line.rsplit(" :: ", 1)[-1] for line in classifiers if line.startswith("License ::")]
    if classified:
        return " AND ".join(sorted(classified))
    named = metadata.get("License", "").strip()
    return named if named and "\n" not in named and len(named) <= LONGEST_LICENCE_NAME else None


def component(distribution: Distribution) -> Component:
    """Return the distribution as a component."""
    name, version = canonical(distribution.name), distribution.version
    said = licence(distribution)
    home = distribution.metadata.get("Home-page")
    return Component(
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}=={version}",
        name=name,
        version=version,
        purl=PackageURL(type="pypi", name=name, version=version),
        description=distribution.metadata.get("Summary"),
        licenses=[LicenseFactory().make_from_string(said, license_acknowledgement=LicenseAcknowledgement.DECLARED)]
        if said
        else None,
        external_references=[ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(home))] if home else None,
    )


def bill(site_packages: Path, name: str, version: str) -> Bom:
    """Return the bill of materials of a container that holds the environment."""
    container = Component(type=ComponentType.CONTAINER, bom_ref=name, name=name, version=version)
    bom = Bom(metadata=BomMetaData(component=container, tools=ToolRepository(components=[this_component()])))
    parts = [component(found) for found in distributions(path=[str(site_packages)])]
    bom.components.update(parts)
    bom.register_dependency(container, parts)
    return bom


def document(site_packages: Path, name: str, version: str) -> str:
    """Return the bill as JSON, without what would differ between two runs."""
    written = json.loads(JsonV1Dot6(bill(site_packages, name, version)).output_as_string())
    del written["serialNumber"], written["metadata"]["timestamp"]
    return json.dumps(written, indent=2, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Write the document to the standard output."""
    if len(arguments) != 3:  # noqa: PLR2004 - as in the usage line
        print(__doc__, file=sys.stderr)
        return 2
    folder, name, version = arguments
    if not Path(folder).is_dir():
        print(f"error: {folder} is no folder", file=sys.stderr)
        return 1
    sys.stdout.write(document(Path(folder), name, version))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
