from enum import Enum

class PatchType(Enum):
    JSON = "application/json-patch+json"
