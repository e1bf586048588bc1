"""The one seam to the CDK for Terraform: no other module of this project imports cdktf or cdktn.

Which of the two runs is decided here, once, when this module is first imported; it then starts node.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from aeterna.synth._node import find_node
from aeterna.synth.errors import EngineMissingError
from aeterna.synth.settings import CORES, EngineSettings

NAMES = (
    "Annotations",
    "App",
    "Aspects",
    "AzurermBackend",
    "DataTerraformRemoteStateS3",
    "Fn",
    "GcsBackend",
    "HttpBackend",
    "IAspect",
    "IResolvable",
    "ITerraformDependable",
    "ITerraformIterator",
    "LocalBackend",
    "Op",
    "Postcondition",
    "Precondition",
    "S3Backend",
    "TerraformAsset",
    "TerraformCount",
    "TerraformDataSource",
    "TerraformElement",
    "TerraformHclModule",
    "TerraformIterator",
    "TerraformLocal",
    "TerraformOutput",
    "TerraformProvider",
    "TerraformProviderGeneratorMetadata",
    "TerraformResource",
    "TerraformResourceLifecycle",
    "TerraformSelf",
    "TerraformStack",
    "TerraformVariable",
    "Testing",
    "Token",
    "Tokenization",
)
"""Everything that this project uses of the CDK's core; both cores have all of it under these names."""


def choose(settings: EngineSettings) -> str:
    """Return the name of the core to use. Raises `EngineMissingError`."""
    wanted = CORES if settings.core is None else (settings.core,)
    for name in wanted:
        if name in CORES and find_spec(name) is not None:
            return name
    raise EngineMissingError(wanted)


_settings = EngineSettings.from_environment()
CORE = choose(_settings)
# jsii starts node by the name in this variable as soon as a binding is imported, and knows no other way to be told.
os.environ["JSII_NODE"] = str(find_node(_settings))

if TYPE_CHECKING:
    from cdktf import (
        Annotations,
        App,
        Aspects,
        AzurermBackend,
        DataTerraformRemoteStateS3,
        Fn,
        GcsBackend,
        HttpBackend,
        IAspect,
        IResolvable,
        ITerraformDependable,
        ITerraformIterator,
        LocalBackend,
        Op,
        Postcondition,
        Precondition,
        S3Backend,
        TerraformAsset,
        TerraformCount,
        TerraformDataSource,
        TerraformElement,
        TerraformHclModule,
        TerraformIterator,
        TerraformLocal,
        TerraformOutput,
        TerraformProvider,
        TerraformProviderGeneratorMetadata,
        TerraformResource,
        TerraformResourceLifecycle,
        TerraformSelf,
        TerraformStack,
        TerraformVariable,
        Testing,
        Token,
        Tokenization,
    )
else:
    _core = import_module(CORE)
    globals().update({name: getattr(_core, name) for name in NAMES})

__all__ = [
    "CORE",
    "Annotations",
    "App",
    "Aspects",
    "AzurermBackend",
    "DataTerraformRemoteStateS3",
    "Fn",
    "GcsBackend",
    "HttpBackend",
    "IAspect",
    "IResolvable",
    "ITerraformDependable",
    "ITerraformIterator",
    "LocalBackend",
    "Op",
    "Postcondition",
    "Precondition",
    "S3Backend",
    "TerraformAsset",
    "TerraformCount",
    "TerraformDataSource",
    "TerraformElement",
    "TerraformHclModule",
    "TerraformIterator",
    "TerraformLocal",
    "TerraformOutput",
    "TerraformProvider",
    "TerraformProviderGeneratorMetadata",
    "TerraformResource",
    "TerraformResourceLifecycle",
    "TerraformSelf",
    "TerraformStack",
    "TerraformVariable",
    "Testing",
    "Token",
    "Tokenization",
]
