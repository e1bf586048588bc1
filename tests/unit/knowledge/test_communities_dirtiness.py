"""Communities are found anew after enough has changed, and from nothing after much has."""

from __future__ import annotations

import pytest

from aeterna.knowledge.domain.dirtiness import Drift, Thresholds, recomputation

THRESHOLDS = Thresholds(edges=10, share=0.01, whole_share=0.1)


@pytest.mark.parametrize(
    ("law", "drift", "expected"),
    [
        ("an empty graph has nothing to find", Drift(since_run=0, since_whole=0, edges=0, found=False), "none"),
        ("the first time it is everything", Drift(since_run=1, since_whole=1, edges=1, found=False), "everything"),
        ("what did not change is not done again", Drift(since_run=0, since_whole=90, edges=100, found=True), "none"),
        ("a few changes wait", Drift(since_run=9, since_whole=9, edges=500, found=True), "none"),
        ("enough are enough", Drift(since_run=10, since_whole=10, edges=500, found=True), "changed"),
        ("in a large graph it takes more", Drift(since_run=99, since_whole=99, edges=10_000, found=True), "none"),
        ("a share of it", Drift(since_run=100, since_whole=100, edges=10_000, found=True), "changed"),
        (
            "many are everything",
            Drift(since_run=1_001, since_whole=1_001, edges=10_000, found=True),
            "everything",
        ),
        ("many one by one are, too", Drift(since_run=100, since_whole=1_001, edges=10_000, found=True), "everything"),
        ("a tenth is not yet", Drift(since_run=100, since_whole=1_000, edges=10_000, found=True), "changed"),
        ("few of them wait all the same", Drift(since_run=9, since_whole=1_001, edges=10_000, found=True), "none"),
        ("a graph that was emptied is done", Drift(since_run=5, since_whole=5, edges=0, found=True), "everything"),
    ],
)
def test_what_is_done(law: str, drift: Drift, expected: str) -> None:
    assert recomputation(drift, THRESHOLDS) == expected, law
