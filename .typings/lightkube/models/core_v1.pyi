class ObjectReference:
    def __init__(self, *, apiVersion: str, kind: str, namespace: str, name: str, uid: str) -> None: ...  # noqa: N803 - Kubernetes' name

class EventSource:
    def __init__(self, *, component: str) -> None: ...
