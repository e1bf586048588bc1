"""The words of English that hold a sentence together and say nothing of what it is about."""

from __future__ import annotations

from typing import Final

_WORDS: Final = """
    a about after again all also always am an and any are as at be because been before being between both but by can
    cannot could did do does doing don done during each else ever every for from get gets getting give got had has have
    having he her here hers him his how however i if in into is isn it its itself just let like ll many may me might
    more most much must my myself no nor not now of off often on once only or other our ours out over own per re s same
    shall she should so some such t than that the their theirs them then there these they this those though through to
    too under until up upon us ve very was we were what whatever when where whether which while who whom whose why will
    with within without won would yes yet you your yours
"""
FUNCTION_WORDS: Final = frozenset(_WORDS.split())
"""As `words` folds them, so that "don't" is there as two. No form of a word that names a thing or an act is here."""
