"""Turns a provider's schema into typed bindings: one small module per resource, so that a stack pays as it imports.

The generated code is committed. ``python -m aeterna.synth.generate`` writes it again, byte for byte.
"""
