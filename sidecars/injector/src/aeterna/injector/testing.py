"""Fakes of the ports of the injector."""
