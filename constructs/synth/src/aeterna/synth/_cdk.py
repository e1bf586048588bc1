"""The one seam to the CDK for Terraform: no other module of this project imports cdktf or cdktn.

Which of the two runs is decided here, once, when this module is first imported; it then starts node.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from shutil import which
from typing import TYPE_CHECKING

import jsii

from aeterna.synth._node import find_node
from aeterna.synth.errors import EngineMissingError
from aeterna.synth.settings import CORES, EngineSettings


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
# The engine uses a function that newer nodes call deprecated, at every synthesis; nobody who reads that can mend it.
os.environ.setdefault("NODE_NO_WARNINGS", "1")
# The engine asks `terraform version` whether it knows moved blocks; where only OpenTofu is there, it is to ask that.
if which("terraform", path=_settings.search_path) is None and which("tofu", path=_settings.search_path) is not None:
    os.environ.setdefault("TERRAFORM_BINARY_NAME", "tofu")

if TYPE_CHECKING:
    import cdktf as core  # both cores have the same names; types are checked against the one that stacks import
else:
    core = import_module(CORE)

# A Python class tells the engine with this decorator which of its interfaces it keeps.
implements = jsii.implements

Annotations = core.Annotations
App = core.App
Aspects = core.Aspects
AzurermBackend = core.AzurermBackend
Fn = core.Fn
GcsBackend = core.GcsBackend
IAspect = core.IAspect
IResolvable = core.IResolvable
IStackSynthesizer = core.IStackSynthesizer
ISynthesisSession = core.ISynthesisSession
ITerraformDependable = core.ITerraformDependable
ITerraformIterator = core.ITerraformIterator
LocalBackend = core.LocalBackend
Op = core.Op
Postcondition = core.Postcondition
Precondition = core.Precondition
S3Backend = core.S3Backend
TerraformAsset = core.TerraformAsset
TerraformCount = core.TerraformCount
TerraformDataSource = core.TerraformDataSource
TerraformElement = core.TerraformElement
TerraformIterator = core.TerraformIterator
TerraformLocal = core.TerraformLocal
TerraformOutput = core.TerraformOutput
TerraformProvider = core.TerraformProvider
TerraformProviderGeneratorMetadata = core.TerraformProviderGeneratorMetadata
TerraformResource = core.TerraformResource
TerraformResourceLifecycle = core.TerraformResourceLifecycle
TerraformSelf = core.TerraformSelf
TerraformStack = core.TerraformStack
TerraformVariable = core.TerraformVariable
Testing = core.Testing
Token = core.Token
