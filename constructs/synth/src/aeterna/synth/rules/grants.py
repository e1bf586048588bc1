"""Permissions and trust in neutral words: what a cloud reads out of its own documents, roles and bindings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Something that a resource allows somebody to do."""

    where: str
    """The argument that says so."""
    actions: str
    """What is allowed, as it is written."""
    every_action: bool = False
    """Whether nothing is left out: a wildcard, or a role that means everything."""
    every_resource: bool = False
    """Whether it reaches everything that the account has."""
    everyone: bool = False
    """Whether it is given to anybody at all, without a condition."""
    escalates: bool = False
    """Whether who has it can give himself more: hand out roles, become another, sign for another."""
    administrator: bool = False
    """Whether it is given to whoever administers the account, which has to keep everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """An identity that believes a token of another system."""

    where: str
    subject: str | None
    """Whose token is believed; None if the resource does not say."""
    exact: bool
    """Whether the subject is compared as a whole, without a wildcard."""
    audience: bool
    """Whether the token has to be meant for this cloud."""
