"""What is pushed to the store of policies, as JSON: read into the staged set's words, and written back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from aeterna.cedar.domain.bundle import ENTITIES_FILE, tenant_of
from aeterna.contracts.json_value import is_array, is_object
from aeterna.policy.errors import PushRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.policy.domain.feeding import FeedState
    from aeterna.policy.domain.publication import Publication


def policy_text(id_: str, body: bytes) -> str:
    """Return the text of ``{"content": …}``, or raise `PushRefusedError`."""
    content = _parsed(id_, body)
    text = content.get("content") if is_object(content) else None
    if not isinstance(text, str):
        raise PushRefusedError(id_, 'is no {"content": "<text>"}')
    return text


def policy_texts(body: bytes) -> dict[str, str]:
    """Return the texts by id of ``[{"id": …, "content": …}]``, or raise `PushRefusedError`."""
    listed = _parsed("policies", body)
    found: dict[str, str] = {}
    for entry in listed if is_array(listed) else (None,):
        policy = entry if is_object(entry) else {}
        id_, text = policy.get("id"), policy.get("content")
        if not isinstance(id_, str) or not isinstance(text, str) or id_ in found:
            raise PushRefusedError("policies", 'are no list of {"id": "<id>", "content": "<text>"} with different ids')
        found[id_] = text
    return found


def schema_text(id_: str, body: bytes) -> str:
    """Return the text of a schema, sent as it is or as ``{"content": …}``; raise `PushRefusedError` for neither."""
    if body.lstrip()[:1] == b"{":
        return policy_text(id_, body)
    return _text(id_, body)


def entity_lists(body: bytes) -> dict[str | None, str]:
    """Return the lists of entities as texts, by tenant, and by None everybody's; raise `PushRefusedError`.

    A list is everybody's, and is kept as it is: whether it is one is found when the whole set is checked. An object
    has the lists ``shared`` and, under ``tenants``, one of each tenant.
    """
    if body.lstrip()[:1] == b"[":
        return {None: _text(ENTITIES_FILE, body)}
    document = _parsed(ENTITIES_FILE, body)
    if not is_object(document) or not document.keys() <= {"shared", "tenants"}:
        raise PushRefusedError(ENTITIES_FILE, 'are neither a list nor {"shared": [...], "tenants": {...}}')
    tenants = document.get("tenants", {})
    if not is_object(tenants):
        raise PushRefusedError(ENTITIES_FILE, '"tenants" is no object')
    lists: dict[str | None, object] = {**tenants}
    if "shared" in document:
        lists[None] = document["shared"]
    if not all(isinstance(entities, list) for entities in lists.values()):
        raise PushRefusedError(ENTITIES_FILE, "have something that is no list")
    return {tenant: orjson.dumps(entities, option=orjson.OPT_SORT_KEYS).decode() for tenant, entities in lists.items()}


def written_policies(listed: Mapping[str, str]) -> bytes:
    """Return the list that `policy_texts` reads."""
    return orjson.dumps([{"id": id_, "content": text} for id_, text in listed.items()])


def written_policy(id_: str, text: str) -> bytes:
    """Return one entry of that list."""
    return orjson.dumps({"id": id_, "content": text})


def written_entities(files: Mapping[str, str]) -> bytes:
    """Return what `entity_lists` reads; the lists are put together as texts and not parsed."""
    lists = {tenant_of(path): text for path, text in files.items()}
    shared = lists.pop(None, "[]")
    if not lists:
        return shared.encode()
    tenants = ",".join(f"{orjson.dumps(tenant).decode()}:{text}" for tenant, text in lists.items())
    return f'{{"shared":{shared},"tenants":{{{tenants}}}}}'.encode()


def written_status(
    state: FeedState, published: Publication | None, spoilt: Mapping[str, str], fault: str | None
) -> bytes:
    """Return what is in force, what is staged, and what stands between the two."""
    refusal = state.refusal
    return orjson.dumps(
        {
            "published": None
            if published is None
            else {"epoch": published.epoch, "digest": published.digest, "confirmed_at": published.confirmed_at},
            "staged": {"files": state.staged_files, "not_taken": dict(spoilt)},
            "refusal": None if refusal is None else {"code": refusal.code, "reason": refusal.reason, "at": refusal.at},
            "outcomes": dict(state.outcomes),
            "state_fault": fault,
        }
    )


def _parsed(where: str, body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise PushRefusedError(where, "is not JSON") from None


def _text(where: str, body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise PushRefusedError(where, "is not UTF-8") from None
