"""What is injected into whose pods."""

from __future__ import annotations

from dataclasses import dataclass

from aeterna.contracts.injection import Installation
from aeterna.contracts.workloads import Workloads


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The installation and the tenancy of the cluster's namespaces, as they were read together."""

    installation: Installation
    workloads: Workloads
