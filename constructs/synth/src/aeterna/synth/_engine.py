"""Chooses which core of the CDK and which node will run, once, before either is imported; it starts nothing.

A package of constructs imports this first: the library `constructs` starts node as soon as it is imported, and knows
only what stands in the environment then. Code that looks at documents alone, such as a rule, pays for no node.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from shutil import which

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
