"""Files of a table as the bytes that were written, before any compression: what a search for a text must look at.

Parquet compresses each page by itself and Avro each block, so a text in them is not found in the file as it lies
there. Headers, statistics and footers are not compressed, so the file as it is belongs to the search too.
"""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pyarrow.parquet

from aeterna.graph.domain.arrow import pa

if TYPE_CHECKING:
    from collections.abc import Iterator

Value: TypeAlias = "int | bytes | bool | list[Value] | dict[int, Value]"

pq: Any = pyarrow.parquet  # Any: pyarrow ships no types
_AVRO: Final = b"Obj\x01"
_PARQUET: Final = b"PAR1"
_GZIP: Final = b"\x1f\x8b"
_SYNC_BYTES: Final = 16
_CODECS: Final = {"LZ4": "lz4_raw"}  # where Parquet's name is not Arrow's
# Fields of Parquet's PageHeader (parquet-format, parquet.thrift).
_PAGE_SIZE: Final = 2
_STORED_SIZE: Final = 3
_VERSION_2: Final = 8
_LEVEL_SIZES: Final = (5, 6)


def opened(data: bytes) -> Iterator[bytes]:
    """Yield the file as it is, then every compressed part of it decompressed; raise `ValueError` on half a file."""
    yield data
    try:
        if data.startswith(_PARQUET):
            yield from _pages(data)
        elif data.startswith(_AVRO):
            yield from _blocks(data)
        elif data.startswith(_GZIP):
            yield gzip.decompress(data)
    except (IndexError, EOFError, OSError, zlib.error) as half:
        raise ValueError("the file is not whole") from half


def _pages(data: bytes) -> Iterator[bytes]:
    metadata = pq.ParquetFile(pa.BufferReader(data)).metadata
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            begin = min(
                offset for offset in (column.dictionary_page_offset, column.data_page_offset) if offset is not None
            )
            chunk = memoryview(data)[begin : begin + column.total_compressed_size]
            yield from _chunk_pages(chunk, column.compression)


def _chunk_pages(chunk: memoryview, compression: str) -> Iterator[bytes]:
    place = 0
    while place < len(chunk):
        header, place = _struct(chunk, place)
        stored, size = _whole(header[_STORED_SIZE]), _whole(header[_PAGE_SIZE])
        page = bytes(chunk[place : place + stored])
        place += stored
        second = header.get(_VERSION_2)
        levels = sum(_whole(second[field]) for field in _LEVEL_SIZES) if isinstance(second, dict) else 0
        if compression == "UNCOMPRESSED" or (isinstance(second, dict) and second.get(7) is False):
            yield page
        elif size > levels:
            codec = _CODECS.get(compression, compression.lower())
            yield pa.decompress(page[levels:], size - levels, codec).to_pybytes()


def _blocks(data: bytes) -> Iterator[bytes]:
    view = memoryview(data)
    codec, place = "null", len(_AVRO)
    while count := _zigzag_at(view, place)[0]:
        place = _zigzag_at(view, place)[1]
        if count < 0:  # then the block's size in bytes follows
            place = _zigzag_at(view, place)[1]
        for _ in range(abs(count)):
            key, place = _text(view, place)
            value, place = _text(view, place)
            if key == b"avro.codec":
                codec = value.decode()
    place += 1 + _SYNC_BYTES
    while place < len(view):
        _, place = _zigzag_at(view, place)
        size, place = _zigzag_at(view, place)
        block = bytes(view[place : place + size])
        place += size + _SYNC_BYTES
        yield _unpacked(block, codec)


def _unpacked(block: bytes, codec: str) -> bytes:
    match codec:
        case "null":
            return block
        case "deflate":
            return zlib.decompress(block, -zlib.MAX_WBITS)
        case "zstandard":
            return pa.CompressedInputStream(pa.BufferReader(block), "zstd").read()
        case other:
            raise ValueError(f"Avro codec {other!r} is not known here")


def _text(view: memoryview, place: int) -> tuple[bytes, int]:
    size, place = _zigzag_at(view, place)
    return bytes(view[place : place + size]), place + size


def _whole(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise ValueError("a page header does not say its size")


def _varint_at(view: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(view):
            raise ValueError("the file ends in the middle of a number")
        byte = view[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the sign that another byte follows
            return value, place
        shift += 7


def _zigzag_at(view: memoryview, place: int) -> tuple[int, int]:
    value, place = _varint_at(view, place)
    return (value >> 1) ^ -(value & 1), place


def _struct(view: memoryview, place: int) -> tuple[dict[int, Value], int]:
    """Read a struct of Thrift's compact protocol: its fields by number."""
    fields: dict[int, Value] = {}
    number = 0
    while view[place]:
        delta, kind = view[place] >> 4, view[place] & 0x0F
        place += 1
        if delta:
            number += delta
        else:
            number, place = _zigzag_at(view, place)
        fields[number], place = _value(view, place, kind)
    return fields, place + 1


def _value(view: memoryview, place: int, kind: int) -> tuple[Value, int]:  # noqa: PLR0911 - one for each type
    match kind:
        case 1 | 2:
            return kind == 1, place
        case 3:
            return view[place], place + 1
        case 4 | 5 | 6:
            return _zigzag_at(view, place)
        case 7:
            return bytes(view[place : place + 8]), place + 8
        case 8:
            size, place = _varint_at(view, place)
            return bytes(view[place : place + size]), place + size
        case 9 | 10:
            return _list(view, place)
        case 12:
            return _struct(view, place)
        case other:
            raise ValueError(f"a page header has a field of type {other}")


def _list(view: memoryview, place: int) -> tuple[list[Value], int]:
    size, kind = view[place] >> 4, view[place] & 0x0F
    place += 1
    if size == 0x0F:  # noqa: PLR2004 - the sign that the size follows
        size, place = _varint_at(view, place)
    values: list[Value] = []
    for _ in range(size):
        value, place = _value(view, place, kind)
        values.append(value)
    return values, place
