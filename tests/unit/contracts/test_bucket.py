"""What a bucket spec promises and refuses, before any cloud is involved."""

from __future__ import annotations

import pytest

from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.errors import InvalidSpecError


def test_a_bucket_is_protected_and_keeps_deleted_objects_for_a_while_unless_asked_otherwise() -> None:
    spec = BucketSpec(name="acme-graph")

    assert spec.protected
    assert spec.noncurrent_days == 30


@pytest.mark.parametrize(
    ("reason", "field", "changes"),
    [
        ("a name of two characters", "name", {"name": "ab"}),
        ("a name of 64 characters", "name", {"name": "a" * 64}),
        ("a name with a dot, which breaks TLS", "name", {"name": "acme.graph"}),
        ("a name with an underscore", "name", {"name": "acme_graph"}),
        ("versions kept for no time", "noncurrent_days", {"noncurrent_days": 0}),
        ("uploads aborted at once", "abort_multipart_days", {"abort_multipart_days": 0}),
        ("a log that logs itself", "access_log_bucket", {"access_log_bucket": "acme-graph"}),
        ("a log bucket that is an address", "access_log_bucket", {"access_log_bucket": "s3://logs"}),
    ],
)
def test_a_spec_that_cannot_work_is_refused(reason: str, field: str, changes: dict[str, object]) -> None:
    """Every refusal names the field and says what to change; ``reason`` is the sentence of the row."""
    arguments: dict[str, object] = {"name": "acme-graph", **changes}

    with pytest.raises(InvalidSpecError) as refused:
        BucketSpec(**arguments)  # type: ignore[arg-type]  # rows of a table have no common type

    assert (refused.value.spec, refused.value.field) == ("BucketSpec", field), reason
    assert refused.value.remedy
