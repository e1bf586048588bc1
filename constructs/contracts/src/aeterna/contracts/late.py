"""The type of a string that exists only once the infrastructure does."""

from __future__ import annotations

from typing import NewType

Late = NewType("Late", str)
"""A deploy-time string, such as an endpoint or an ARN. At synthesis it is a placeholder: carry it, and never parse,
slice, compare or measure it."""
