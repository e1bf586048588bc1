"""Where a stack keeps its state."""

from __future__ import annotations

from aeterna.synth._cdk import (
    AzurermBackend,
    DataTerraformRemoteStateS3,
    GcsBackend,
    HttpBackend,
    LocalBackend,
    S3Backend,
)

__all__ = ["AzurermBackend", "DataTerraformRemoteStateS3", "GcsBackend", "HttpBackend", "LocalBackend", "S3Backend"]
