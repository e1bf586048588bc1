from collections.abc import Mapping
from datetime import datetime

from lightkube.models.core_v1 import EventSource, ObjectReference
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources import Resource

class Secret(Resource):
    data: Mapping[str, str] | None
    def __init__(self, *, metadata: ObjectMeta, data: Mapping[str, str], type: str) -> None: ...  # noqa: A002 - Kubernetes' name

class ConfigMap(Resource):
    data: Mapping[str, str] | None
    def __init__(self, *, metadata: ObjectMeta, data: Mapping[str, str]) -> None: ...

class Namespace(Resource): ...
class Pod(Resource): ...

class Event(Resource):
    def __init__(
        self,
        *,
        metadata: ObjectMeta,
        involvedObject: ObjectReference,  # noqa: N803 - Kubernetes' name
        type: str,  # noqa: A002 - Kubernetes' name
        reason: str,
        message: str,
        source: EventSource,
        firstTimestamp: datetime,  # noqa: N803 - Kubernetes' name
        lastTimestamp: datetime,  # noqa: N803 - Kubernetes' name
        count: int,
    ) -> None: ...
