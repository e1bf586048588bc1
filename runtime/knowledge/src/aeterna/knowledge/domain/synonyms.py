"""Words that people use for one another when they ask about software, so that a question finds what is called so.

They are the everyday pairs of English, not those of any corpus: what a corpus calls things by is in its terms. A word
that was not asked for counts for less than one that was.
"""

from __future__ import annotations

from typing import Final

_GROUPS: Final = """
    accept approve
    alter change edit modify update
    allow grant permit
    backup copy snapshot
    begin launch run start
    big huge large size
    block deny forbid refuse reject
    bound limit maximum quota
    cache memory remember
    chat conversation thread
    check confirm prove validate verify
    config configuration configure setting
    conflict contradict
    cost price
    crash die kill
    credential login password secret
    customer tenant
    database db postgres postgresql
    delete drop erase purge remove wipe
    display show view
    down away outage unavailable unreachable
    earlier former past previous
    encrypt encryption
    end finish halt quit shutdown stop
    error fail failure problem
    expire expiry lapse
    fast latency performance quick slow speed
    k8s kubernetes
    laptop local machine
    person user
    renew rotate rotation
    repeat resend retry
    restore revert rollback undo
    alike related similar
"""
SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    word: tuple(other for other in line.split() if other != word)
    for line in _GROUPS.strip().splitlines()
    for word in line.split()
}
