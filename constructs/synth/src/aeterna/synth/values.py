"""The types of what may be written into a binding's argument: a plain value, a reference to one, or an expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias, TypeVar

from aeterna.synth._cdk import IResolvable
from aeterna.synth.blocks import Repeated
from aeterna.synth.references import Ref

T = TypeVar("T")

Text: TypeAlias = str | Ref | IResolvable
"""A string. A placeholder (`Late`, an attribute of another resource) is a ``str`` too."""
Number: TypeAlias = float | Ref | IResolvable
"""A number; a whole one may be an ``int``."""
Flag: TypeAlias = bool | Ref | IResolvable
"""A boolean."""
Many: TypeAlias = Sequence[T] | AbstractSet[T] | Ref | IResolvable
"""A list or a set. A set is written sorted, so that two syntheses give the same bytes."""
Table: TypeAlias = Mapping[str, T] | Ref | IResolvable
"""A map from strings."""
One: TypeAlias = T | Repeated[T]
"""A nested block that occurs at most once."""
Blocks: TypeAlias = Sequence[T] | Repeated[T]
"""A nested block that may repeat; `repeated` makes one per element of what is known only at apply."""
Anything: TypeAlias = object
"""An argument whose type the provider leaves open."""
