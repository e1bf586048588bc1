from collections.abc import Mapping

from lightkube.models.meta_v1 import ObjectMeta

class Resource:
    metadata: ObjectMeta | None
    def to_dict(self) -> Mapping[str, object]: ...
