"""Aeterna's runtime on any Kubernetes cluster: constructs that know only the contract of a foundation."""
