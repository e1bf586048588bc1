"""A whole environment on any cloud: written once, against the protocol that every cloud keeps."""

from __future__ import annotations

import re
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.foundation import FoundationOutputs
from aeterna.contracts.platform import PlatformOutputs
from aeterna.platform.access import reach
from aeterna.platform.platform import Platform
from aeterna.stacks.layers import Ground, Layers, key_id
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.aspects import attach
from aeterna.synth.backends import keep_beside
from aeterna.synth.lowering import lower
from aeterna.synth.rules.guardrails import Guardrails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from aeterna.contracts.foundation import FoundationSpec
    from aeterna.contracts.place import PlaceOutputs
    from aeterna.contracts.platform import PlatformSpec
    from aeterna.stacks.layers import Given
    from aeterna.synth.cloud import (
        BackupT,
        BucketT,
        CacheT,
        CatalogT,
        Cloud,
        ClusterT,
        DatabaseT,
        Handle,
        KeyT,
        NetworkT,
        RegistryT,
    )
    from aeterna.synth.registry import AnyCloud
    from aeterna.synth.rules.suppression import Suppression

OUTPUT = "foundation"
"""The name of the output of the stack ``cluster``, which holds the whole contract."""

PLATFORM_OUTPUT = "platform"
"""The name of the platform's stack's output, which says where its services are."""

STACKS_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What the ids of the stacks begin with, and the folders that they are written into."""

STATE_OUTPUT = "state"
"""The name of the first stack's output, which says where the states can be kept."""


class Foundation:
    """The stacks with everything that the platform stands on, in the order in which they are applied.

    ``<id>-bootstrap`` holds the state store and the keys, ``<id>-network`` the network, ``<id>-data`` the stores,
    ``<id>-recovery`` their copies in a second region, where there is one, and ``<id>-cluster`` the cluster with the
    identities of its workloads. Each has a state of its own, so that none is planned against what does not exist yet,
    and replacing a cluster cannot reach a database.

    Every stack is guarded by the rules that are installed, with what a customer adds to it; ``suppressions`` are the
    exceptions, by the path of a construct. Without ``guarded`` the rules are left to whoever attaches them elsewhere.

    `outputs` are for other stacks of the same app; the output ``foundation`` of the stack ``cluster`` carries the same,
    with its version, to whatever reads the state.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        cloud: AnyCloud,
        spec: FoundationSpec,
        suppressions: Sequence[Suppression] = (),
        guarded: bool = True,
    ) -> None:
        if not STACKS_ID.fullmatch(id_):
            problem = f"{id_!r} cannot lead the names of stacks and their folders"
            raise InvalidSpecError("Foundation", "id_", problem, "use at most 100 letters, digits, dots and hyphens")
        self._scope, self._id, self._cloud, self._spec = scope, id_, cloud, spec
        self._suppressions, self._guarded = suppressions, guarded
        self.stacks: dict[str, TerraformStack] = {}
        layers = Layers(cloud, spec)
        bootstrap, place = self._stack("bootstrap", spec.region)
        self._keep_states(bootstrap)
        keys = layers.keys(bootstrap)
        below, _ = self._stack("network", spec.region)
        ground = Ground(place=place, keys=keys, network=layers.network(below, keys))
        data, _ = self._stack("data", spec.region)
        stores = layers.stores(data, ground)
        recovery = None
        if spec.recovery_region is not None:
            second, second_place = self._stack("recovery", spec.recovery_region)
            recovery = layers.recovery(second, second_place, stores)
        top, _ = self._stack("cluster", spec.region)
        self.outputs = layers.finish(top, ground, stores, recovery=recovery)
        self._require_known_suppressions()
        contract = {"version": FoundationOutputs.version, **asdict(self.outputs)}
        TerraformOutput(top, OUTPUT, value=lower(contract, OUTPUT), description="What the platform has to know")

    def platform(self, spec: PlatformSpec, suppressions: Sequence[Suppression] = ()) -> Platform:
        """Put the runtime into the cluster, in a stack of its own: ``<id>-platform``, which is applied last.

        It needs the cluster's API within reach of whoever applies, and the cloud's own command to log in there.
        """
        if spec.namespace != self._spec.namespace:
            problem = f"{spec.namespace!r} is not the namespace of the identities, {self._spec.namespace!r}"
            raise InvalidSpecError("PlatformSpec", "namespace", problem, "give both specs the same one")
        stack = TerraformStack(self._scope, f"{self._id}-platform")
        self._keep(stack)
        reach(stack, self.outputs.cluster)
        platform = Platform(stack, "Platform", spec, foundation=self.outputs)
        if self._guarded:
            attach(stack, Guardrails(size=spec.size, suppressions=suppressions))
        self.stacks["platform"] = stack
        contract = {"version": PlatformOutputs.version, **asdict(platform.outputs)}
        TerraformOutput(stack, PLATFORM_OUTPUT, value=lower(contract, PLATFORM_OUTPUT), description="Where it is")
        return platform

    def _keep_states(self, scope: TerraformStack) -> None:
        """Make the store that a later `StateSpec` names."""
        spec, cloud = self._spec, self._cloud
        key = cloud.key(scope, key_id(STATE_OUTPUT), spec.key_spec(STATE_OUTPUT))
        store = cloud.state_store(scope, "StateStore", spec.state_store_spec(), key=key)
        said = lower(store.outputs, STATE_OUTPUT)
        TerraformOutput(scope, STATE_OUTPUT, value=said, description="What a StateSpec has to say")

    def _stack(self, layer: str, region: str) -> tuple[TerraformStack, Handle[PlaceOutputs]]:
        """Start the stack of a layer, with its provider and its state."""
        spec = self._spec
        stack = TerraformStack(self._scope, f"{self._id}-{layer}")
        try:
            place = self._cloud.prepare(stack, region=region, tags={"aeterna:environment": spec.name, **spec.tags})
        except InvalidSpecError as refusal:  # says of which of the two regions it is
            raise (refusal if refusal.path else refusal.at(stack.node.path)) from None
        self._keep(stack)
        # A suppression that covers nothing is warned of: each stack is given those that may speak of it.
        mine = [each for each in self._suppressions if _speaks_of(each, stack)]
        if self._guarded:
            attach(stack, Guardrails(size=spec.size, suppressions=mine))
        self.stacks[layer] = stack
        return stack, place

    def _keep(self, stack: TerraformStack) -> None:
        """Keep the state of a stack where the spec says."""
        if self._spec.state is None:
            keep_beside(stack)
        else:
            self._cloud.keep_state(stack, self._spec.state, region=self._spec.region)

    def _require_known_suppressions(self) -> None:
        """Refuse a suppression that no stack was given, of which nothing else would tell."""
        for each in self._suppressions:
            if not any(_speaks_of(each, stack) for stack in self.stacks.values()):
                stacks = ", ".join(stack.node.id for stack in self.stacks.values())
                problem = f"{each.path!r} is in none of the stacks"
                raise InvalidSpecError("Foundation", "suppressions", problem, f"begin the path with one of {stacks}")


def _speaks_of(suppression: Suppression, stack: TerraformStack) -> bool:
    """Tell whether the path of the suppression may be below the stack."""
    return fnmatchcase(stack.node.id, suppression.path.partition("/")[0])


def compose(
    scope: Construct,
    cloud: Cloud[NetworkT, KeyT, ClusterT, DatabaseT, CacheT, BucketT, CatalogT, RegistryT, BackupT],
    spec: FoundationSpec,
    *,
    place: Handle[PlaceOutputs],
    given: Given[NetworkT, KeyT, ClusterT, DatabaseT] | None = None,
) -> FoundationOutputs:
    """Compose a foundation below one scope, such as a customer's own stack, beside what the customer already has.

    The provider, the backend and the outputs are the stack's own. A second region needs a stack of its own, so that a
    critical environment is refused here.
    """
    if spec.recovery_region is not None:
        problem = "what stands in a second region needs a stack with that region's provider"
        raise InvalidSpecError("FoundationSpec", "recovery_region", problem, "use Foundation, which makes that stack")
    layers = Layers(cloud, spec, given)
    keys = layers.keys(scope)
    ground = Ground(place=place, keys=keys, network=layers.network(scope, keys))
    stores = layers.stores(scope, ground)
    return layers.finish(scope, ground, stores)
