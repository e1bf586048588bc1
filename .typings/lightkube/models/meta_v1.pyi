from collections.abc import Mapping
from datetime import datetime

class ObjectMeta:
    name: str | None
    namespace: str | None
    uid: str | None
    resourceVersion: str | None  # noqa: N815 - Kubernetes' name
    deletionTimestamp: datetime | None  # noqa: N815 - Kubernetes' name
    def __init__(
        self, *, name: str | None = None, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> None: ...

class Status:
    code: int | None
    reason: str | None
