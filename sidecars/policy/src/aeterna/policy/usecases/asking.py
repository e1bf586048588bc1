"""A question of AuthZEN as a request of Cedar: which names, which parents, and what the question may not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from aeterna.cedar.domain.request import BroughtEntity, Request, Uid

if TYPE_CHECKING:
    from aeterna.policy.domain.question import Entity, Question

_NAMESPACE: Final = "Aeterna::"
_ROLE: Final = f"{_NAMESPACE}Role"
_ROLES: Final = "roles"
_TENANT: Final = "tenant"
_MAX_ROLES: Final = 100


def request_of(question: Question) -> Request:
    """Return what Cedar is asked, or raise ValueError with what is unclear about the question.

    The subject's property ``roles`` becomes its parents; its property ``tenant`` says whose policies are asked.
    """
    subject, resource = question.subject, question.resource
    attributes = {name: value for name, value in subject.properties.items() if name != _ROLES}
    tenant = attributes.get(_TENANT)
    principal, acted_upon = _uid(subject), _uid(resource)
    return Request(
        principal=principal,
        action=Uid(f"{_NAMESPACE}Action", question.action),
        resource=acted_upon,
        context=question.context,
        brought=(
            BroughtEntity(uid=principal, attributes=attributes, parents=_roles(subject)),
            BroughtEntity(uid=acted_upon, attributes=resource.properties),
        ),
        tenant=tenant if isinstance(tenant, str) else None,
    )


def _uid(entity: Entity) -> Uid:
    return Uid(f"{_NAMESPACE}{entity.type}", entity.id)


def _roles(subject: Entity) -> tuple[Uid, ...]:
    """Return the subject's roles, sorted, or raise ValueError: a role of another type would be no role at all."""
    roles = subject.properties.get(_ROLES, [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in cast("list[object]", roles)):
        raise ValueError("the subject's property 'roles' must be a list of strings")
    distinct = sorted(set(cast("list[str]", roles)))
    if len(distinct) > _MAX_ROLES:
        raise ValueError(f"the subject has more than {_MAX_ROLES} roles")
    return tuple(Uid(_ROLE, role) for role in distinct)
