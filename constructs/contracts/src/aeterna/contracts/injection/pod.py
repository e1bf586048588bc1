"""A pod as JSON that nobody has vouched for: how to look into it, and which of its parts are ours."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from aeterna.contracts.injection import names
from aeterna.contracts.injection.errors import MalformedPodError
from aeterna.contracts.json_value import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

OUR_CONTAINERS: Final = frozenset({names.POLICY_CONTAINER, names.OPAL_CONTAINER, names.SECRETS_CONTAINER})
OUR_VOLUMES: Final = frozenset(
    {
        *(names.SOCKETS_VOLUME, names.TOKEN_VOLUME, names.TRUST_VOLUME, names.NO_API_TOKEN_VOLUME),
        *(names.POLICY_STATE_VOLUME, names.POLICY_TMP_VOLUME, names.OPAL_TMP_VOLUME, names.OPAL_TOKEN_VOLUME),
        *(names.SECRETS_VOLUME, names.SECRETS_CONFIG_VOLUME, names.SECRETS_TMP_VOLUME),
    }
)
_OS_LABEL: Final = "kubernetes.io/os"
_WINDOWS: Final = "windows"


class Exemption(StrEnum):
    """Why a pod is left alone whatever it asks for."""

    HOST_NETWORK = "host_network"
    """It shares the node's network, where its sidecars' ports would be the node's."""

    WINDOWS = "windows"
    """It runs on Windows, and the sidecars run on Linux."""

    @property
    def why(self) -> str:
        """Return it as a person would say it."""
        return _WHY[self]


_WHY: Final = {
    Exemption.HOST_NETWORK: "the pod is in the network of its node (hostNetwork)",
    Exemption.WINDOWS: "the pod runs on Windows",
}


def exemption_of(pod: Mapping[str, object]) -> Exemption | None:
    """Return why a pod is left alone, if it is; raise `MalformedPodError`."""
    spec = part_of(pod, "spec")
    if spec.get("hostNetwork") is True:
        return Exemption.HOST_NETWORK
    selected = part_of(spec, "nodeSelector").get(_OS_LABEL)
    return Exemption.WINDOWS if _WINDOWS in (part_of(spec, "os").get("name"), selected) else None


def annotations_of(pod: Mapping[str, object]) -> dict[str, str]:
    """Return a pod's annotations; raise `MalformedPodError`."""
    found = part_of(part_of(pod, "metadata"), "annotations")
    texts = {name: value for name, value in found.items() if isinstance(value, str)}
    if len(texts) != len(found):
        raise MalformedPodError("an annotation is not a text")
    return texts


def part_of(whole: Mapping[str, object], name: str) -> dict[str, object]:
    """Return an object within an object, an empty one where there is none; raise `MalformedPodError`."""
    found = whole.get(name)
    if found is None:
        return {}
    if not is_object(found):
        raise MalformedPodError(f"{name} is not an object")
    return found


def list_of(whole: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """Return a list of objects within an object, an empty one where there is none; raise `MalformedPodError`."""
    found = whole.get(name)
    if found is None:
        return []
    if not is_array(found):
        raise MalformedPodError(f"{name} is not a list")
    objects = [each for each in found if is_object(each)]
    if len(objects) != len(found):
        raise MalformedPodError(f"{name} holds what is not an object")
    return objects


def text_of(part: Mapping[str, object], name: str) -> str:
    """Return a text within an object, such as the name of a container; raise `MalformedPodError`."""
    found = part.get(name)
    if not isinstance(found, str):
        raise MalformedPodError(f"{name} of a part is not a text")
    return found
