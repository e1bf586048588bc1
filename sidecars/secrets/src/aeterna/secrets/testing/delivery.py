"""A volume, templates and a messenger in memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.secrets.domain.shapes import as_text
from aeterna.secrets.errors import ConfigurationInvalidError, RenderError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.secrets.domain.rendition import FileSpec, Notice, RenderedFile
    from aeterna.secrets.domain.secret import Secret
    from aeterna.secrets.errors import FolderRefusedError, NoticeFailedError

_FIELD: Final = re.compile(r"\{\{ *([a-z][a-z0-9_]*)\.(\w+) *\}\}")


class FakeVolume:
    """A folder in memory; ``trouble`` is raised by everything until a test takes it away."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.swept: list[bool] = []
        """Whether each sweep overwrote what it removed."""
        self.trouble: FolderRefusedError | None = None

    def clear(self) -> None:
        """Have no files."""
        self.switch({})

    def switch(self, files: Mapping[str, RenderedFile]) -> None:
        """Have these files."""
        if self.trouble is not None:
            raise self.trouble
        self.contents = {name: file.content for name, file in files.items()}

    def sweep(self, *, overwrite: bool) -> None:
        """Note it."""
        if self.trouble is not None:
            raise self.trouble
        self.swept.append(overwrite)


class FakeMessenger:
    """Notes who was told; ``trouble`` is raised until a test takes it away."""

    def __init__(self) -> None:
        self.told: list[Notice] = []
        self.tried = 0
        self.trouble: NoticeFailedError | None = None

    async def tell(self, notice: Notice) -> None:
        """Note it."""
        self.tried += 1
        if self.trouble is not None:
            raise self.trouble
        self.told.append(notice)


class FakeTemplates:
    """Templates that can say ``{{ secret.field }}`` and nothing else."""

    def needs(self, spec: FileSpec) -> frozenset[str]:
        """See `Templates.needs`."""
        if spec.template.count("{{") != len(_FIELD.findall(spec.template)):
            raise ConfigurationInvalidError(spec.file, "is no template")
        return frozenset(secret for secret, _ in _FIELD.findall(spec.template))

    def render(self, spec: FileSpec, held: Mapping[str, Secret]) -> bytes:
        """See `Templates.render`."""
        fields = {f"{name}.{key}": as_text(value) for name, one in held.items() for key, value in one.fields.items()}
        try:
            return _FIELD.sub(lambda found: fields[f"{found[1]}.{found[2]}"], spec.template).encode()
        except KeyError:
            raise RenderError(spec.file, "something is not defined") from None
