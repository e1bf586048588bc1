"""Aeterna's constructs on Azure."""

# The package `constructs` starts node as soon as it is imported: the seam has to have chosen which one before that.
from aeterna.synth import _engine as _engine
