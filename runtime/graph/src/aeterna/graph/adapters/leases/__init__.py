"""Leases on writing a tenant, by which processes take turns."""
