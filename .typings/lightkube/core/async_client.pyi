from collections.abc import AsyncIterable, Mapping, Sequence
from typing import TypeVar

import httpx2
from lightkube.config.kubeconfig import SingleConfig
from lightkube.operators import SequenceOperator
from lightkube.resources import Resource
from lightkube.types import PatchType

_R = TypeVar("_R", bound=Resource)

class AsyncClient:
    def __init__(
        self, *, config: SingleConfig, timeout: httpx2.Timeout, trust_env: bool, field_manager: str
    ) -> None: ...
    async def get(self, res: type[_R], name: str, *, namespace: str | None = None) -> _R: ...
    async def create(self, obj: _R) -> _R: ...
    async def patch(
        self,
        res: type[_R],
        name: str,
        obj: Sequence[Mapping[str, object]],
        *,
        namespace: str | None = None,
        patch_type: PatchType,
    ) -> _R: ...
    def list(
        self,
        res: type[_R],
        *,
        namespace: str | None = None,
        chunk_size: int | None = None,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str | SequenceOperator] | None = None,
    ) -> AsyncIterable[_R]: ...
    async def close(self) -> None: ...
