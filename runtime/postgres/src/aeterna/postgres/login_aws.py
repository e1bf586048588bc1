"""Tokens of RDS and Aurora: a signature by the pod's own role, which the database checks with IAM.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.identity.aws import AwsTokenSource, SignedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

_REGION: Final = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com(?:\.cn)?$")


def rds_tokens(host: str, port: int, user: str, clock: Callable[[], float]) -> AwsTokenSource:
    """Return the tokens of one login of one database; the host's name says its region, else it is the pod's own."""
    named = _REGION.search(host)
    request = SignedRequest(
        service="rds-db",
        place=f"{host}:{port}",
        parameters={"Action": "connect", "DBUser": user},
        region=named[1] if named else None,
    )
    return AwsTokenSource(request, clock)
