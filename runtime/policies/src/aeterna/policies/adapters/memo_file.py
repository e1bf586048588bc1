"""What an analysis learned, kept in a file for the next one; one that cannot be read knows nothing."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.entity import uid_of
from aeterna.cedar.domain.request import BroughtEntity, Request, Uid
from aeterna.contracts.json_value import array_of, object_of
from aeterna.policies.domain.memo import Memo, Memos
from aeterna.policies.domain.reports import request_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_REASONING: Final = ("aeterna.policies.adapters.smt", "aeterna.policies.domain.typed")


class MemoFile:
    """One file with the memos of the schemas used last."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Memos:
        """Return what is remembered, or nothing."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            document = json.loads(self._path.read_text(encoding="utf-8"))
            if document["edition"] == edition():
                return Memos(
                    known={
                        str(name): Memo(
                            facts=[str(fact) for fact in memo["facts"]],
                            requests=[_request(written) for written in memo["requests"]],
                        )
                        for name, memo in document["memos"].items()
                    }
                )
        return Memos()

    def save(self, memos: Memos) -> None:
        """Replace the file at once, so that whoever reads sees the old or the new one; give up if it cannot be."""
        document = {
            "edition": edition(),
            "memos": {
                name: {"facts": memo.facts(), "requests": [request_json(request) for request in memo.requests()]}
                for name, memo in memos.items()
            },
        }
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(document, file)
            Path(name).replace(self._path)


def edition() -> str:
    """Return what names the code that reasons: what another one learned might be what it got wrong."""
    content = hashlib.sha256()
    for package in _REASONING:
        for file in sorted(files(package).iterdir(), key=lambda file: file.name):
            if file.name.endswith(".py"):
                content.update(file.read_bytes())
    return content.hexdigest()


def _request(written: Mapping[str, object]) -> Request:
    return Request(
        principal=Uid(*uid_of(written["principal"])),
        action=Uid(*uid_of(written["action"])),
        resource=Uid(*uid_of(written["resource"])),
        context=object_of(written["context"]),
        brought=tuple(_entity(object_of(entity)) for entity in array_of(written["entities"])),
    )


def _entity(written: Mapping[str, object]) -> BroughtEntity:
    return BroughtEntity(
        uid=Uid(*uid_of(written["uid"])),
        attributes=object_of(written["attrs"]),
        parents=tuple(Uid(*uid_of(parent)) for parent in array_of(written["parents"])),
        tags=object_of(written["tags"]),
    )
