import httpx2
from lightkube.models.meta_v1 import Status

class ConfigError(Exception): ...

class ApiError(httpx2.HTTPStatusError):
    status: Status
