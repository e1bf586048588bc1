"""What a rule wants to read at a place: a predicate with the words for it, and an example of what breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aeterna.synth.rules.subject import Json, as_flag, as_list, as_number, is_expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is right at some place of a resource. It is asked only about what is known before apply."""

    words: str
    """What to write there, as it ends the sentence "set it to …"."""
    accepts: Callable[[Json], bool]
    right: Json
    """A value that it accepts."""
    weaker: Json
    """A value that it refuses. The tests write both."""


TRUE: Final = Wanted(words="true", accepts=lambda value: as_flag(value) is True, right=True, weaker=False)
NOTHING: Final = Wanted(
    words="nothing: remove it", accepts=lambda value: value in ("", [], {}), right="", weaker="something"
)
FALSE: Final = Wanted(words="false", accepts=lambda value: as_flag(value) is False, right=False, weaker=True)


def present(words: str) -> Wanted:
    """Want anything at all."""
    return Wanted(words=words, accepts=lambda value: value not in ("", [], {}), right="something", weaker="")


def key(*own_of_the_cloud: str) -> Wanted:
    """Want a key of the customer's; the prefixes are those of keys that the cloud keeps for itself."""
    return Wanted(
        words="a key of yours",
        accepts=lambda value: isinstance(value, str) and bool(value) and not value.startswith(own_of_the_cloud),
        right="a-key",
        weaker=next(iter(own_of_the_cloud), ""),
    )


def one_of(*right: str, weaker: str = "") -> Wanted:
    """Want one of these texts."""
    return Wanted(words=" or ".join(right), accepts=lambda value: value in right, right=right[0], weaker=weaker)


def none_of(*wrong: str, words: str) -> Wanted:
    """Want anything but these texts."""
    return Wanted(words=words, accepts=lambda value: value not in wrong, right="another", weaker=wrong[0])


def at_least(least: float, unit: str = "") -> Wanted:
    """Want a number of this size or more."""
    words = f"at least {least:g}{unit and f' {unit}'}"
    return Wanted(words=words, accepts=lambda value: (as_number(value) or 0) >= least, right=least, weaker=least - 1)


def between(least: float, most: float) -> Wanted:
    """Want a number in a range."""
    return Wanted(
        words=f"a number from {least:g} to {most:g}",
        accepts=lambda value: least <= (as_number(value) or 0) <= most,
        right=least,
        weaker=most + 1,
    )


def seconds_at_least(days: int) -> Wanted:
    """Want a duration in seconds, written with the unit, such as ``604800s``."""
    least = days * 86400
    return Wanted(
        words=f"at least {least}s ({days} days)",
        accepts=lambda value: (as_number(str(value).removesuffix("s")) or 0) >= least,
        right=f"{least}s",
        weaker=f"{least - 1}s",
    )


def seconds_at_most(days: int) -> Wanted:
    """Want a duration in seconds that is no longer than this."""
    most = days * 86400
    return Wanted(
        words=f"at most {most}s ({days} days)",
        accepts=lambda value: 0 < (as_number(str(value).removesuffix("s")) or 0) <= most,
        right=f"{most}s",
        weaker=f"{most + 1}s",
    )


def holding(*each: str) -> Wanted:
    """Want a list that holds all of these; one with something unknown in it may."""

    def holds(value: Json) -> bool:
        items = as_list(value)
        return any(is_expression(item) for item in items) or set(each) <= {str(item) for item in items}

    return Wanted(words=f"a list with {', '.join(each)}", accepts=holds, right=list(each), weaker=[])


def zones(least: int = 2) -> Wanted:
    """Want a list of at least so many zones."""
    return Wanted(
        words=f"at least {least} zones",
        accepts=lambda value: len(as_list(value)) >= least,
        right=[str(number) for number in range(least)],
        weaker=["1"],
    )


def without(*wrong: str, words: str) -> Wanted:
    """Want a text or a list in which none of these stands."""
    return Wanted(
        words=words,
        accepts=lambda value: not {str(item) for item in as_list(value)} & set(wrong),
        right="10.0.0.0/8",
        weaker=wrong[0],
    )


def matching(pattern: str, *, words: str, right: str, weaker: str) -> Wanted:
    """Want a text of this form."""
    form = re.compile(pattern)
    return Wanted(words=words, accepts=lambda value: form.fullmatch(str(value)) is not None, right=right, weaker=weaker)
