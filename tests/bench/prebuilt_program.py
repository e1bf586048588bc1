"""Writes a program that makes given resources with the prebuilt classes: run with the peer's own Python.

usage: prebuilt_program.py CORE PROVIDER DOCUMENTS PROGRAM

CORE is cdktf or cdktn, PROVIDER such as google, DOCUMENTS the synthesized stacks by name, PROGRAM what to write. A type
that a package does not have is left out.
"""

from __future__ import annotations

import inspect
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

# What the engine takes as objects rather than as text, and what is no argument at all.
OVERRIDDEN = {"depends_on", "lifecycle", "provider", "dynamic", "//", "for_each", "count", "provisioner"}


UNKNOWN = "of-another-version"
"""What an argument gets that the package's version of the provider demands and ours does not have."""


def wanted(known: Mapping[str, inspect.Parameter], given: Mapping[str, object]) -> list[str]:
    """Return the arguments that are demanded by name and not given."""
    return [
        name
        for name, parameter in known.items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty and name not in given
    ]


def fitted(value: object, parameter: inspect.Parameter) -> object:
    """Return the value as the package's version of the provider takes it.

    Older ones take as a number what newer ones take as text, and some take a list of what others take one of.
    """
    annotation = str(parameter.annotation)
    if isinstance(value, str) and value.isdigit() and "float" in annotation:
        return int(value)
    block = isinstance(value, dict) and "Sequence[" in annotation
    return [cast("object", value)] if block else cast("object", value)


def camel(name: str) -> str:
    """Return ``eks_cluster`` as ``EksCluster``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


class Writer:
    """Collects the imports and statements of the program."""

    def __init__(self, core: str, provider: str) -> None:
        self._core = core
        self._provider = provider
        self._package = f"cdktf_cdktf_provider_{provider}" if core == "cdktf" else f"cdktn_provider_{provider}"
        self.imports: set[str] = set()
        self.lines: list[str] = []

    def resource(self, kind: str, terraform_type: str, name: str, body: dict[str, Any]) -> None:
        """Write one resource or data source."""
        short = terraform_type.removeprefix(f"{self._provider}_")
        full = f"data_{self._provider}_{short}" if kind == "data" else short
        module_name, class_name = f"{self._package}.{full}", camel(full)
        try:
            module = import_module(module_name)
        except ModuleNotFoundError:
            return
        class_name = next(each for each in (class_name, f"{class_name}A") if hasattr(module, each))
        known = inspect.signature(getattr(module, class_name).__init__).parameters
        self.imports.add(f"from {module_name} import {class_name}")
        given = {
            key: fitted(value, known[key]) for key, value in body.items() if key in known and key not in OVERRIDDEN
        }
        arguments = "".join(
            f", {key}={self.value(value, module, class_name + camel(key))}" for key, value in given.items()
        )
        arguments += "".join(f", {key}={UNKNOWN!r}" for key in wanted(known, given))
        self.lines.append(f"element = {class_name}(stack, {name!r}{arguments})")
        for key, value in body.items():
            if key not in given and key != "//":
                self.lines.append(f"element.add_override({key!r}, {value!r})")

    def value(self, value: object, module: ModuleType, struct: str) -> str:
        """Write a value; a nested block becomes its own class, as the type checker of its users would want it."""
        match value:
            case dict():
                return self.block(cast("dict[str, object]", value), module, struct)
            case list():
                items = cast("list[object]", value)
                return f"[{', '.join(self.value(each, module, struct) for each in items)}]"
            case _:
                return repr(value)

    def block(self, fields: dict[str, object], module: ModuleType, struct: str) -> str:
        """Write a block as its class, or as a plain dict where the package has no class for it."""
        found = next((each for each in (struct, f"{struct}A") if struct and hasattr(module, each)), None)
        if found is None:
            entries = (f"{key!r}: {self.value(each, module, '')}" for key, each in fields.items())
            return f"{{{', '.join(entries)}}}"
        self.imports.add(f"from {module.__name__} import {found}")
        known = inspect.signature(getattr(module, found).__init__).parameters
        # An older version of the provider has fewer arguments.
        kept = {key: fitted(each, known[key]) for key, each in fields.items() if key in known}
        inner = [f"{key}={self.value(each, module, found + camel(key))}" for key, each in kept.items()]
        inner += [f"{key}={UNKNOWN!r}" for key in wanted(known, kept)]
        return f"{found}({', '.join(inner)})"

    def stack(self, stack: str, document: dict[str, Any]) -> None:
        """Write one stack."""
        self.lines.append(f"stack = TerraformStack(app, {stack!r})")
        provider, name = import_module(f"{self._package}.provider"), f"{camel(self._provider)}Provider"
        self.imports.add(f"from {self._package}.provider import {name}")
        for index, body in enumerate(document["provider"][self._provider]):
            arguments = "".join(
                f", {key}={self.value(value, provider, name + camel(key))}" for key, value in body.items()
            )
            self.lines.append(f"{name}(stack, 'provider{index}'{arguments})")
        for kind in ("data", "resource"):
            for terraform_type, named in document.get(kind, {}).items():
                if terraform_type.startswith(f"{self._provider}_"):
                    for logical, body in named.items():
                        self.resource(kind, terraform_type, logical, body)
        for logical, body in document.get("output", {}).items():
            given = "".join(f", {key}={body[key]!r}" for key in ("value", "sensitive") if key in body)
            self.lines.append(f"TerraformOutput(stack, {logical!r}{given}, static_id=True)")

    def text(self) -> str:
        """Return the program."""
        head = f"from {self._core} import App, TerraformOutput, TerraformStack\n" + "\n".join(sorted(self.imports))
        return f"{head}\n\napp = App(skip_validation=True)\n" + "\n".join(self.lines) + "\napp.synth()\n"


def main() -> None:
    """Read the documents, write the program."""
    core, provider, documents, program = sys.argv[1:]
    writer = Writer(core, provider)
    for name, document in json.loads(Path(documents).read_text()).items():
        writer.stack(name, document)
    Path(program).write_text(writer.text())


if __name__ == "__main__":
    main()
