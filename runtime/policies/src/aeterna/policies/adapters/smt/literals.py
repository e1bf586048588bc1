"""The texts of Cedar's extension values, read and written: decimals, datetimes, durations and addresses.

Formats: https://docs.cedarpolicy.com/policies/syntax-datatypes.html. A text that is none gives None, in a policy an
error.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import date
from typing import Final

from aeterna.policies.adapters.smt.values import ADDRESS_BITS, GREATEST, LEAST

MILLISECONDS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_DECIMAL: Final = re.compile(r"(-?)([0-9]+)\.([0-9]{1,4})")
_DECIMAL_UNIT: Final = 10_000
_DURATION: Final = re.compile(r"(-?)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
# Python reads more: masks in the place of prefixes, zones, and IPv4 within IPv6.
_ADDRESS: Final = re.compile(r"(?:[0-9.]+|[0-9a-fA-F:]+)(?:/(?:0|[1-9][0-9]{0,2}))?")
_DATETIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?(?:Z|([+-])(\d\d)(\d\d)))?", re.ASCII
)
_MONTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY: Final = 2
_HOURS: Final = 24
_SIXTY: Final = 60
_SIX: Final = 6
_EPOCH_DAY: Final = 719_528
"""The days from the first of January of the year 0 until 1970, in the Gregorian calendar."""
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()


def decimal_of(text: str) -> int | None:
    """Return the decimal in units of a ten-thousandth."""
    found = _DECIMAL.fullmatch(text)
    if found is None:
        return None
    number = int(found[2]) * _DECIMAL_UNIT + int(found[3].ljust(4, "0"))
    return _bounded(-number if found[1] else number)


def decimal_text(number: int) -> str:
    """Return the decimal of so many ten-thousandths."""
    whole, rest = divmod(abs(number), _DECIMAL_UNIT)
    return f"{'-' if number < 0 else ''}{whole}.{rest:04d}"


def duration_of(text: str) -> int | None:
    """Return the duration in milliseconds."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        return None
    parts = zip(found.groups()[1:], MILLISECONDS.values(), strict=True)
    number = sum(int(part) * unit for part, unit in parts if part)
    return _bounded(-number if found[1] else number)


def datetime_of(text: str) -> int | None:
    """Return the milliseconds since 1970."""
    found = _DATETIME.fullmatch(text)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    hour, minute, second, thousandth = (int(part or 0) for part in found.groups()[3:7])
    east, west = int(found[9] or 0), int(found[10] or 0)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= len(_MONTHS) or not 1 <= day <= _MONTHS[month - 1] + (leap and month == _FEBRUARY):
        return None
    if max(hour, east) >= _HOURS or max(minute, second, west) >= _SIXTY:
        return None
    days = year * 365 + (year + 3) // 4 - (year + 99) // 100 + (year + 399) // 400
    days += sum(_MONTHS[: month - 1]) + (leap and month > _FEBRUARY) + day - 1 - _EPOCH_DAY
    local = ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + thousandth
    shift = (east * 60 + west) * 60_000
    return local + shift if found[8] == "-" else local - shift


def address_of(text: str) -> tuple[bool, int, int] | None:
    """Return whether it is of version 6, the address as a number, and the length of the prefix."""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        return None
    return found.version == _SIX, int(found.ip), found.network.prefixlen


def address_text(bits: int, prefix: int, *, six: bool) -> str:
    """Return the address with its prefix; an address alone is one whose prefix is as long as it."""
    address = ipaddress.IPv6Address(bits) if six else ipaddress.IPv4Address(bits)
    # Cedar reads no IPv4 address within one of version 6, which Python would write for ::ffff:0:0/96.
    text = address.exploded if six else str(address)
    return text if prefix == (ADDRESS_BITS if six else 32) else f"{text}/{prefix}"


def _bounded(number: int) -> int | None:
    return number if LEAST <= number <= GREATEST else None


def datetime_text(number: int) -> str | None:
    """Return the datetime of so many milliseconds since 1970, or None if its year cannot be written."""
    days, within = divmod(number, MILLISECONDS["d"])
    if not 1 <= days + _EPOCH_ORDINAL <= date.max.toordinal():
        return None
    day = date.fromordinal(days + _EPOCH_ORDINAL).isoformat()
    hour, rest = divmod(within, MILLISECONDS["h"])
    minute, rest = divmod(rest, MILLISECONDS["m"])
    second, thousandth = divmod(rest, MILLISECONDS["s"])
    return f"{day}T{hour:02d}:{minute:02d}:{second:02d}.{thousandth:03d}Z"
