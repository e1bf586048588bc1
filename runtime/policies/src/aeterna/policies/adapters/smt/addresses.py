"""IP addresses and ranges as bit vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import z3

from aeterna.policies.adapters.smt.literals import address_of
from aeterna.policies.adapters.smt.outcome import ERROR, Outcome, truth
from aeterna.policies.adapters.smt.values import ADDRESS_BITS, Address, Text, all_of, any_of, known, negated
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.symbols import Symbols
    from aeterna.policies.adapters.smt.values import Value

    Operator = Callable[[Sequence[Value], Symbols, Footprint], Outcome]

_LOOPBACKS: Final = ("127.0.0.0/8", "::1/128")
_MULTICASTS: Final = ("224.0.0.0/4", "ff00::/8")


def _ip(values: Sequence[Value], symbols: Symbols, _footprint: Footprint) -> Outcome:
    (value,) = values
    if not isinstance(value, Text):
        return ERROR
    text = symbols.text_of(value.term)
    if text is None:
        raise UndecidedError("an ip is made of a string that is not written out")
    return ERROR if address_of(text) is None else Outcome(_written(text))


def _written(text: str) -> Address:
    found = address_of(text)
    if found is None:
        raise UndecidedError(f"{text!r} is no address")
    six, bits, prefix = found
    return Address(known(six), z3.BitVecVal(bits, ADDRESS_BITS), z3.BitVecVal(prefix, ADDRESS_BITS))


def _asking(ask: Callable[[Address], z3.BoolRef]) -> Operator:
    def operator(values: Sequence[Value], _symbols: Symbols, _footprint: Footprint) -> Outcome:
        (address,) = values
        return truth(ask(address)) if isinstance(address, Address) else ERROR

    return operator


def _is_in_range(values: Sequence[Value], _symbols: Symbols, _footprint: Footprint) -> Outcome:
    address, range_ = values
    if not isinstance(address, Address) or not isinstance(range_, Address):
        return ERROR
    return truth(_in_range(address, range_))


def _in_range(address: Address, range_: Address) -> z3.BoolRef:
    """Return whether every address of the first is one of the second: the bits of its prefix are the same."""
    same = all_of(any_of(negated(address.six), range_.six), any_of(address.six, negated(range_.six)))
    width = z3.If(range_.six, z3.BitVecVal(ADDRESS_BITS, ADDRESS_BITS), z3.BitVecVal(32, ADDRESS_BITS))
    differing = z3.LShR(address.bits ^ range_.bits, width - range_.prefix)
    return all_of(same, z3.UGE(address.prefix, range_.prefix), differing == 0)


def _in_any(ranges: tuple[str, ...]) -> Callable[[Address], z3.BoolRef]:
    return lambda address: any_of(*(_in_range(address, _written(text)) for text in ranges))


ADDRESS_OPERATORS: Final[Mapping[str, Operator]] = {
    "ip": _ip,
    "isIpv4": _asking(lambda address: negated(address.six)),
    "isIpv6": _asking(lambda address: address.six),
    "isInRange": _is_in_range,
    "isLoopback": _asking(_in_any(_LOOPBACKS)),
    "isMulticast": _asking(_in_any(_MULTICASTS)),
}
