from collections.abc import Mapping
from datetime import datetime
from typing import Self

class LeaseSpec:
    holderIdentity: str | None  # noqa: N815 - Kubernetes' name
    renewTime: datetime | None  # noqa: N815 - Kubernetes' name
    leaseDurationSeconds: int | None  # noqa: N815 - Kubernetes' name
    leaseTransitions: int | None  # noqa: N815 - Kubernetes' name
    def __init__(self) -> None: ...
    @classmethod
    def from_dict(cls, d: Mapping[str, object]) -> Self: ...
