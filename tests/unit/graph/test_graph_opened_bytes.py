"""A search of files sees what is in them, however they are compressed."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING, Any

import pyarrow.parquet
import pytest

from aeterna.graph.adapters.iceberg.opened_bytes import opened
from aeterna.graph.domain.arrow import pa, untyped
from aeterna.graph.domain.changes import node_of, session_of
from fixtures.fix_graph import ACME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.fix_graph import GraphBench

CANARY = "canary in a page, again and again and again, so that it is compressed"
pq: Any = untyped(pyarrow.parquet)


def _parquet(**options: object) -> bytes:
    sink = io.BytesIO()
    texts = [CANARY, CANARY, None, "other"] * 50
    pq.write_table(pa.table({"a": texts, "n": list(range(200))}), sink, write_statistics=False, **options)
    return sink.getvalue()


@pytest.mark.parametrize("codec", ["zstd", "snappy", "gzip", "brotli", "lz4", "none"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [True, False], ids=["dictionary", "plain"])
def test_a_text_in_a_page_is_found(codec: str, version: str, dictionary: bool) -> None:
    data = _parquet(compression=codec, data_page_version=version, use_dictionary=dictionary, data_page_size=512)

    assert any(CANARY.encode() in part for part in opened(data))


def test_a_dictionary_entry_that_no_row_uses_is_found() -> None:
    """Filtered columns may keep the whole dictionary."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array(["used", CANARY]))
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": texts}), sink, compression="zstd", store_schema=False)

    assert CANARY not in pq.read_table(io.BytesIO(sink.getvalue()))["a"].to_pylist()
    assert any(CANARY.encode() in part for part in opened(sink.getvalue()))


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["compressed", "plain"])
def test_a_text_in_metadata_is_found(pack: Callable[[bytes], bytes]) -> None:
    assert any(CANARY.encode() in part for part in opened(pack(CANARY.encode())))


@pytest.mark.parametrize("size", [6, 60, 1_000])
def test_half_a_manifest_is_no_proof_of_anything(iceberg_bench: GraphBench, tmp_path: Path, size: int) -> None:
    iceberg_bench.graphs().of(ACME).commit(session_of("s", subject="ada", nodes=[node_of("n", "T")]))
    (manifest,) = (tmp_path / "warehouse").rglob("*-m0.avro")

    with pytest.raises(ValueError, match=r".+"):
        list(opened(manifest.read_bytes()[:size]))


def test_half_a_parquet_file_is_no_proof_of_anything() -> None:
    data = _parquet(compression="zstd")

    with pytest.raises(ValueError, match=r".+"):
        list(opened(data[: len(data) // 2]))


def test_a_text_in_a_manifest_is_found(iceberg_bench: GraphBench, tmp_path: Path) -> None:
    """Avro compresses blocks: the name of a data file is in a manifest, and not as it lies there."""
    iceberg_bench.graphs().of(ACME).commit(session_of("s", subject="ada", nodes=[node_of("n", "T")]))
    (file,) = (tmp_path / "warehouse").rglob("*.parquet")
    (manifest,) = (tmp_path / "warehouse").rglob("*-m0.avro")

    raw, *blocks = opened(manifest.read_bytes())

    assert (file.name.encode() in raw, any(file.name.encode() in block for block in blocks)) == (False, True)
