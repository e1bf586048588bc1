import httpx2
from lightkube.config.kubeconfig import SingleConfig

class ConnectionParams:
    def __init__(self, *, timeout: httpx2.Timeout, trust_env: bool) -> None: ...

def AsyncClient(config: SingleConfig, conn_parameters: ConnectionParams) -> httpx2.AsyncClient: ...  # noqa: N802 - its name
