"""Kubernetes' quantities: processors and bytes as a pod's author writes them."""

from __future__ import annotations

import re
from decimal import Decimal
from types import MappingProxyType
from typing import Final

_QUANTITY: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_FACTORS: Final = MappingProxyType(
    {
        "": Decimal(1),
        "m": Decimal("0.001"),
        "k": Decimal(10**3),
        "M": Decimal(10**6),
        "G": Decimal(10**9),
        "T": Decimal(10**12),
        "Ki": Decimal(2**10),
        "Mi": Decimal(2**20),
        "Gi": Decimal(2**30),
        "Ti": Decimal(2**40),
    }
)


def amount(text: str) -> Decimal | None:
    """Return the number of processors or of bytes, or None for what is no quantity."""
    found = _QUANTITY.fullmatch(text)
    return Decimal(found[1]) * _FACTORS[found[2] or ""] if found is not None else None
