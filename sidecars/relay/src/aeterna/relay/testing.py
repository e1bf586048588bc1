"""Fakes of the ports of the relay."""
