"""A question of AuthZEN as a request of Cedar: which names, which parents, and what the question may not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.request import BroughtEntity, Request, Uid
from aeterna.contracts.json_value import is_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aeterna.policy.domain.question import Entity, Question

NAMESPACE: Final = "Aeterna"
_SEPARATOR: Final = "::"
_ROLE: Final = "Role"
_ROLES: Final = "roles"
_TENANT: Final = "tenant"
_MAX_ROLES: Final = 100


def _of_none(_principal: Uid) -> None:
    return None


def request_of(
    question: Question, *, namespace: str = NAMESPACE, tenant_of: Callable[[Uid], str | None] = _of_none
) -> Request:
    """Return what Cedar is asked, or raise ValueError with what is unclear about the question.

    The subject's property ``roles`` becomes its parents, its property ``tenant`` says whose policies are asked; without
    it ``tenant_of`` does. A type without a namespace is one of ``namespace``, unless the question is literal. An entity
    is brought only if the question says something of it: of one that is kept in the bundle, what is kept counts.
    """
    within = "" if question.literal or not namespace else f"{namespace}{_SEPARATOR}"
    principal, resource = _uid(question.subject, within), _uid(question.resource, within)
    brought = list(question.described)
    roles = _roles(question.subject, within)
    attributes = {name: value for name, value in question.subject.properties.items() if name != _ROLES}
    if attributes or roles:
        brought.append(BroughtEntity(uid=principal, attributes=attributes, parents=roles))
    if question.resource.properties:
        brought.append(BroughtEntity(uid=resource, attributes=question.resource.properties))
    return Request(
        principal=principal,
        action=Uid(_full(question.action_type, within), question.action),
        resource=resource,
        context=question.context,
        brought=tuple(brought),
        tenant=_tenant(principal, brought) or tenant_of(principal),
    )


def _uid(entity: Entity, within: str) -> Uid:
    return Uid(_full(entity.type, within), entity.id)


def _full(written: str, within: str) -> str:
    return written if _SEPARATOR in written else f"{within}{written}"


def _tenant(principal: Uid, brought: list[BroughtEntity]) -> str | None:
    """Return the tenant that the subject says it is of; one that is no name must not be taken for none."""
    for entity in brought:
        if entity.uid == principal and _TENANT in entity.attributes:
            tenant = entity.attributes[_TENANT]
            if not isinstance(tenant, str) or not tenant:
                raise ValueError("the subject's property 'tenant' must be a string that is not empty")
            return tenant
    return None


def _roles(subject: Entity, within: str) -> tuple[Uid, ...]:
    """Return the subject's roles, sorted, or raise ValueError: a role of another type would be no role at all."""
    properties: Mapping[str, object] = subject.properties
    roles = properties.get(_ROLES, [])
    if not is_array(roles) or not all(isinstance(role, str) for role in roles):
        raise ValueError("the subject's property 'roles' must be a list of strings")
    distinct = sorted({str(role) for role in roles})
    if len(distinct) > _MAX_ROLES:
        raise ValueError(f"the subject has more than {_MAX_ROLES} roles")
    return tuple(Uid(f"{within}{_ROLE}", role) for role in distinct)
