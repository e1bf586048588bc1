from pathlib import Path
from typing import Self

from lightkube.config.models import Cluster, User

class SingleConfig:
    cluster: Cluster
    user: User | None

class KubeConfig:
    @classmethod
    def from_service_account(cls) -> Self: ...
    @classmethod
    def from_file(cls, fname: Path) -> Self: ...
    def get(self) -> SingleConfig: ...
