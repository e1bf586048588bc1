"""Bindings of the providers that belong to no cloud, one package per provider."""
