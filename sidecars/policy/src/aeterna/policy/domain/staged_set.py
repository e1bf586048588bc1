"""The set of files that pushes change one by one, and that is of use only as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.bundle import ENTITIES_FILE, POLICY_SUFFIX, SCHEMA_SUFFIX, TENANTS_FOLDER, Bundle, tenant_of
from aeterna.cedar.domain.paths import checked_path
from aeterna.cedar.errors import BundleInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

PUSHED_SCHEMA: Final = f"pushed{SCHEMA_SUFFIX}"
_CONFIGURED_SCHEMA: Final = f"_configured{SCHEMA_SUFFIX}"
_MAX_BYTES: Final = 32 * 1024 * 1024
_MAX_FILES: Final = 20_000
# While a push is under way the old and the new may both be here, but whoever goes on pushing must not fill memory.
_MOST_STAGED_BYTES: Final = 2 * _MAX_BYTES
_MOST_STAGED_FILES: Final = 2 * _MAX_FILES
_SHOWN_CHARS: Final = 255


class StagedSet:
    """Files by path. A push that cannot be taken spoils the set until the same id is put again or deleted.

    Otherwise a policy would be missing in silence, and it may be the one that forbids something.
    """

    def __init__(self, *, schema: str | None) -> None:
        """Take the schema that counts while none is pushed."""
        self._configured = schema
        self._files: dict[str, str] = {}
        self._bytes = 0
        self.spoilt: dict[str, str] = {}
        """What could not be taken, by id, and why."""

    def __len__(self) -> int:
        return len(self._files)

    def restore(self, bundle: Bundle) -> None:
        """Begin from what was published last, so that a change is applied to what it was a change of."""
        for path, text in bundle.files().items():
            if path != _CONFIGURED_SCHEMA:
                self._set(path, text)

    def put(self, id_: str, text: str) -> bool:
        """Take a policy or a schema and say whether that changes anything; raise `BundleInvalidError` and be spoilt."""
        mended = self.spoilt.pop(id_, None) is not None
        try:
            path = _policy_path(id_)
            changed = self._files.get(path) != text
            self._check_room(path, text)
        except BundleInvalidError as exc:
            self.spoil(id_, exc.reason)
            raise
        self._set(path, text)
        return changed or mended

    def delete(self, id_: str) -> bool:
        """Say whether there was a policy or a schema of this id; there is none any more."""
        spoilt = self.spoilt.pop(id_, None) is not None
        if _is_entities(id_) or id_ not in self._files:
            return spoilt
        self._set(id_, None)
        return True

    def spoil(self, id_: str, reason: str) -> None:
        """Note that what was pushed under this id could not be taken."""
        if len(self.spoilt) < _MAX_FILES:
            self.spoilt[id_[:_SHOWN_CHARS]] = reason[:_SHOWN_CHARS]

    def listed(self) -> Mapping[str, str]:
        """Return policies and schemas by id, and what was not taken: whoever compares must see it to delete it.

        The schema that was not pushed as a policy is not here: whoever compares would delete it as nothing of his.
        """
        spoilt = dict.fromkeys(self.spoilt.keys() - {ENTITIES_FILE, PUSHED_SCHEMA}, "")
        files = {path: text for path, text in sorted(self._files.items()) if not _is_entities(path)}
        files.pop(PUSHED_SCHEMA, None)
        return {**spoilt, **files}

    def schemas(self) -> Mapping[str, str]:
        """Return the schemas by id; more than one is too many."""
        return {path: text for path, text in sorted(self._files.items()) if path.endswith(SCHEMA_SUFFIX)}

    def entities(self) -> Mapping[str, str]:
        """Return the lists of entities by path."""
        return {path: text for path, text in sorted(self._files.items()) if _is_entities(path)}

    def put_entities(self, lists: Mapping[str | None, str]) -> bool:
        """Replace all entities by lists of a tenant, or of None for everybody's; say whether that changes anything."""
        self.spoilt.pop(ENTITIES_FILE, None)
        files = {_entities_path(tenant): text for tenant, text in lists.items()}
        before = self.entities()
        for path in before.keys() - files.keys():
            self._set(path, None)
        for path, text in files.items():
            self._set(path, text)
        return files != before

    def bundle(self) -> Bundle:
        """Return the whole, or raise `BundleInvalidError` for what stands against it."""
        if self.spoilt:
            id_, reason = next(iter(sorted(self.spoilt.items())))
            raise BundleInvalidError(ascii(id_)[1:-1], f"was pushed and not taken: {reason}")
        if self._bytes > _MAX_BYTES or len(self._files) > _MAX_FILES:
            raise BundleInvalidError("bundle", f"is larger than {_MAX_BYTES} bytes or {_MAX_FILES} files")
        files = dict(self._files)
        if self._configured is not None and not any(path.endswith(SCHEMA_SUFFIX) for path in files):
            files[_CONFIGURED_SCHEMA] = self._configured
        return Bundle.of(files)

    def _check_room(self, path: str, text: str) -> None:
        """Refuse what there is no room for; the text of before does not stay in its stead, since that is spoilt."""
        self._set(path, None)
        if self._bytes + len(text) > _MOST_STAGED_BYTES or len(self._files) >= _MOST_STAGED_FILES:
            raise BundleInvalidError(path, "there is no room for it beside what was pushed before")

    def _set(self, path: str, text: str | None) -> None:
        self._bytes -= len(self._files.pop(path, ""))
        if text is not None:
            self._files[path] = text
            self._bytes += len(text)


def _policy_path(id_: str) -> str:
    path = checked_path(id_)
    tenant_of(path)
    if path == _CONFIGURED_SCHEMA or not path.endswith((POLICY_SUFFIX, SCHEMA_SUFFIX)):
        raise BundleInvalidError(path, f"is named neither *{POLICY_SUFFIX} nor *{SCHEMA_SUFFIX}")
    return path


def _is_entities(path: str) -> bool:
    return path.rpartition("/")[2] == ENTITIES_FILE


def _entities_path(tenant: str | None) -> str:
    if tenant is None:
        return ENTITIES_FILE
    path = checked_path(f"{TENANTS_FOLDER}/{tenant}/{ENTITIES_FILE}")
    if tenant_of(path) != tenant:
        raise BundleInvalidError(ascii(tenant), "is no tenant's name")
    return path
