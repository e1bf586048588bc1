from lightkube.models.coordination_v1 import LeaseSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources import Resource

class Lease(Resource):
    spec: LeaseSpec | None
    def __init__(self, *, metadata: ObjectMeta, spec: LeaseSpec) -> None: ...
