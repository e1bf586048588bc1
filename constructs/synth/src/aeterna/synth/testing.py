"""Synthesizes a stack in a test and reads the result as data. Node is started once, by the first import."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from aeterna.synth._cdk import App as EngineApp
from aeterna.synth.app import App

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth._cdk import TerraformStack

Json: TypeAlias = Any  # a synthesized document is JSON; its shape is the provider's, which the caller asserts


@dataclass(frozen=True, slots=True)
class Document:
    """One synthesized stack: Terraform's JSON, without the engine's own metadata."""

    json: Mapping[str, Json]
    text: str

    def resources(self, terraform_type: str) -> Mapping[str, Json]:
        """Return the resources of one type, by logical id."""
        return self.json.get("resource", {}).get(terraform_type, {})

    def data(self, terraform_type: str) -> Mapping[str, Json]:
        """Return the data sources of one type, by logical id."""
        return self.json.get("data", {}).get(terraform_type, {})

    def only(self, terraform_type: str) -> Json:
        """Return the one resource of this type; it is an error if there are none or several."""
        (found,) = self.resources(terraform_type).values()
        return found

    def addresses(self) -> tuple[str, ...]:
        """Return the address of every resource and data source, sorted: what a rename would change."""
        return tuple(sorted(self._addresses()))

    def outputs(self) -> Mapping[str, Json]:
        """Return the outputs by name."""
        return self.json.get("output", {})

    def _addresses(self) -> Iterator[str]:
        for kind, prefix in (("resource", ""), ("data", "data.")):
            for terraform_type, named in self.json.get(kind, {}).items():
                for name in named:
                    yield f"{prefix}{terraform_type}.{name}"


@cache
def _scratch() -> Path:
    """Return the folder of this process for synthesized stacks; it goes with the process."""
    folder = tempfile.mkdtemp(prefix="aeterna-synth-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def app(outdir: Path | None = None) -> App:
    """Return an app that writes to the folder, by default to one of its own outside the working directory."""
    return App(outdir=tempfile.mkdtemp(dir=_scratch()) if outdir is None else str(outdir))


def documents(root: EngineApp) -> dict[str, Document]:
    """Synthesize an app once and return the document of each of its stacks, by the stack's id."""
    root.synth()
    written = sorted(Path(root.outdir, "stacks").glob("*/cdk.tf.json"))
    return {path.parent.name: _read(path) for path in written}


def synthesized(stack: TerraformStack) -> Document:
    """Synthesize the stack's whole app, validations and aspects included, and return this stack's document.

    Raises what `App.synth` does, and `TypeError` for a stack without an app.
    """
    root = stack.node.root
    if not isinstance(root, EngineApp):
        raise TypeError(f"{stack.node.path} does not belong to an app")
    root.synth()
    return _read(Path(root.outdir, "stacks", stack.node.id, "cdk.tf.json"))


def _read(path: Path) -> Document:
    document = cast("Json", _without_metadata(json.loads(path.read_text())))
    return Document(json=document, text=json.dumps(document, indent=2, sort_keys=True))


def _without_metadata(value: object) -> object:
    match value:
        case dict():
            entries = cast("dict[str, object]", value)
            return {key: _without_metadata(item) for key, item in entries.items() if key != "//"}
        case list():
            return [_without_metadata(item) for item in cast("list[object]", value)]
        case _:
            return value
