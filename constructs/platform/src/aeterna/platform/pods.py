"""Translates a pod between Kubernetes' own JSON and the arguments of the generated bindings, and loses nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from aeterna.synth.errors import UnrepresentableValueError

if TYPE_CHECKING:
    from aeterna.platform.shapes import Argument

Json: TypeAlias = dict[str, object]
"""An object as Kubernetes' API has it."""

_PLURALS: Final = {
    "container": "containers",
    "init_container": "initContainers",
    "port": "ports",
    "volume": "volumes",
    "volume_mount": "volumeMounts",
    "volume_device": "volumeDevices",
    "toleration": "tolerations",
    "topology_spread_constraint": "topologySpreadConstraints",
    "readiness_gate": "readinessGates",
    "http_header": "httpHeaders",
    "sysctl": "sysctls",
    "option": "options",
    "node_selector_term": "nodeSelectorTerms",
}
"""Blocks that the provider names in the singular. Of an argument that is no block, the name stands as it is."""

_LISTED: Final = frozenset(
    {
        *_PLURALS,
        "env",
        "env_from",
        "image_pull_secrets",
        "host_aliases",
        "items",
        "sources",
        "match_expressions",
        "match_fields",
        "preferred_during_scheduling_ignored_during_execution",
    }
)
"""Blocks of which Kubernetes has a list; of others it has one object, also where the provider would take several."""

_REQUIRED: Final = "required_during_scheduling_ignored_during_execution"
"""Of an affinity to pods a list of terms, of one to nodes an object."""

_WORDS: Final = {
    "downward_api": "downwardAPI",
    "host_ip": "hostIP",
    "host_ipc": "hostIPC",
    "host_pid": "hostPID",
}
_OCTAL: Final = frozenset({"default_mode", "mode"})
"""Modes of files: a number in JSON, octal digits in the provider."""

_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_UNDERSCORE: Final = re.compile(r"_([a-z0-9])")


def to_arguments(value: Mapping[str, object], shape: Mapping[str, Argument], path: str) -> Json:
    """Return an object of Kubernetes as a block of the provider.

    Raises `UnrepresentableValueError` for what the provider has no argument for, instead of leaving it out.
    """
    arguments: Json = {}
    for key, item in value.items():
        name = _argument_of(key, shape)
        if name is None:
            raise UnrepresentableValueError(f"{path}.{key}", "the provider has no argument for it", "leave it out")
        if item is not None:
            arguments[name] = _argument(item, name, shape[name], f"{path}.{key}")
    return arguments


def to_json(arguments: Mapping[str, object], shape: Mapping[str, Argument], path: str) -> Json:
    """Return a block of the provider as an object of Kubernetes; `to_arguments` of it is the block again.

    Raises `UnrepresentableValueError` for what is known only at apply where the shape of the pod has to be known.
    """
    value: Json = {}
    for name, item in arguments.items():
        if name not in shape:
            raise UnrepresentableValueError(f"{path}.{name}", "is no argument of the provider", "leave it out")
        value[_key_of(name, shape[name])] = _json(item, name, shape[name], f"{path}.{name}")
    return value


def _argument(item: object, name: str, argument: Argument, path: str) -> object:
    if not argument.nested:
        return _scalar(item, name, argument)
    if isinstance(item, Mapping):
        block = to_arguments(cast("Mapping[str, object]", item), argument.nested, path)
        return block if argument.kind == "One" else [block]
    return [to_arguments(each, argument.nested, f"{path}[{index}]") for index, each in enumerate(_objects(item, path))]


def _scalar(item: object, name: str, argument: Argument) -> object:
    if name in _OCTAL and isinstance(item, int):
        return f"{item:04o}"
    if argument.kind == "Text" and isinstance(item, int) and not isinstance(item, bool):
        return str(item)
    return item


def _json(item: object, name: str, argument: Argument, path: str) -> object:
    if not argument.nested:
        return int(item, 8) if name in _OCTAL and isinstance(item, str) and item.isdecimal() else item
    blocks = [cast("Mapping[str, object]", item)] if isinstance(item, Mapping) else _objects(item, path)
    objects = [to_json(each, argument.nested, path) for each in blocks]
    if name in _LISTED or (name == _REQUIRED and "topology_key" in argument.nested):
        return objects
    if len(objects) != 1:
        raise UnrepresentableValueError(path, f"there are {len(objects)} where Kubernetes has one", "give one")
    return objects[0]


def _objects(item: object, path: str) -> Sequence[Mapping[str, object]]:
    if isinstance(item, Sequence) and not isinstance(item, str):
        objects = cast("Sequence[object]", item)
        if all(isinstance(each, Mapping) for each in objects):
            return cast("Sequence[Mapping[str, object]]", objects)
    raise UnrepresentableValueError(path, "blocks of a pod are known only at apply", "write them out")


def _argument_of(key: str, shape: Mapping[str, Argument]) -> str | None:
    name = _HUMP.sub(r"_\1", key).lower()
    if name in shape and (not shape[name].nested or name not in _PLURALS):
        return name
    return next((one for one, many in _PLURALS.items() if many == key and one in shape and shape[one].nested), None)


def _key_of(name: str, argument: Argument) -> str:
    if argument.nested and name in _PLURALS:
        return _PLURALS[name]
    return _WORDS.get(name) or _UNDERSCORE.sub(lambda found: found[1].upper(), name)
