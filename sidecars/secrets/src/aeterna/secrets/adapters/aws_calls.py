"""How AWS is asked: for how long, and as which of all that botocore could find."""

from __future__ import annotations

from typing import Final

from botocore.config import Config

# botocore alone waits for a minute, five times.
AWS_CALLS: Final = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
# What a pod is. Keys of the environment or of a file are nobody's identity, and the machine's role is not the pod's.
AWS_IDENTITIES: Final = frozenset({"assume-role-with-web-identity", "container-role"})
