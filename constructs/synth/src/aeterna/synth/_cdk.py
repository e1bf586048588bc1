"""The one seam to the CDK for Terraform: no other module of this project imports cdktf or cdktn.

Importing it starts node. Which core and which node that is, has been chosen before, by ``_engine``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import jsii

from aeterna.synth import _engine

CORE = _engine.CORE
choose = _engine.choose

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
