"""Templates in Jinja2, in its sandbox: no loader, no calls into Python, and nothing undefined taken for nothing."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, meta
from jinja2.exceptions import UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from aeterna.secrets.domain.rendition import SECRET
from aeterna.secrets.domain.shapes import as_text
from aeterna.secrets.errors import ConfigurationInvalidError, RenderError

if TYPE_CHECKING:
    from jinja2 import Template

    from aeterna.secrets.domain.rendition import FileSpec
    from aeterna.secrets.domain.secret import JsonValue, Secret

# A Secret of Kubernetes may be as large; whoever makes more of a template than that has made a mistake.
_MOST_BYTES: Final = 1024 * 1024
_FILE: Final = "<template>"


class JinjaTemplates:
    """Renders, and remembers what it has compiled."""

    def __init__(self) -> None:
        self._environment = _Environment(
            undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=_finalized
        )
        self._environment.globals.clear()
        self._environment.filters |= {"tojson": _json, "quote": _quoted, "b64encode": _encoded, "b64decode": _decoded}
        self._compiled: dict[str, Template] = {}

    def needs(self, spec: FileSpec) -> frozenset[str]:
        """See `Templates.needs`."""
        where = f"files: {spec.file}: template"
        try:
            parsed = self._environment.parse(spec.template)
            names = meta.find_undeclared_variables(parsed)
            loads = next(meta.find_referenced_templates(parsed), "") != ""
            self._template(spec)
        except TemplateSyntaxError as exc:
            # It speaks of the template alone: nothing was rendered yet.
            raise ConfigurationInvalidError(where, f"line {exc.lineno}: {exc.message}") from None
        except TemplateError as exc:
            raise ConfigurationInvalidError(where, exc.message or type(exc).__name__) from None
        if loads:
            raise ConfigurationInvalidError(where, "stands alone: it includes, imports and extends nothing")
        wrong = sorted(name for name in names if not SECRET.fullmatch(name))
        if wrong:
            raise ConfigurationInvalidError(where, f"{wrong[0]!r} cannot be the name of a secret")
        return frozenset(names)

    def render(self, spec: FileSpec, held: Mapping[str, Secret]) -> bytes:
        """See `Templates.render`."""
        values = {name: dict(secret.fields) for name, secret in held.items()}
        text = bytearray()
        try:
            for part in self._template(spec).generate(values):
                text += part.encode()
                if len(text) > _MOST_BYTES:
                    break
        except UndefinedError as exc:
            raise RenderError(spec.file, f"{_line(exc)}{_undefined(exc, spec)}") from None
        # What a template can do wrong with a value is anything, and any message may show the value it was done with.
        except Exception as exc:  # noqa: BLE001 - as the line above says
            raise RenderError(spec.file, f"{_line(exc)}{type(exc).__name__}") from None
        if len(text) > _MOST_BYTES:
            raise RenderError(spec.file, f"comes to more than {_MOST_BYTES} bytes")
        return bytes(text)

    def _template(self, spec: FileSpec) -> Template:
        if spec.template not in self._compiled:
            self._compiled[spec.template] = self._environment.from_string(spec.template)
        return self._compiled[spec.template]


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, in which ``secret.items`` is the field of that name and not a method of Python's."""

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - as the library has it
        if isinstance(obj, Mapping):
            return super().getitem(obj, attribute) if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)


def _finalized(value: object) -> object:
    """Write what is no text as the plain shapes do; a secret or a list of one is written with ``tojson``."""
    if isinstance(value, Undefined | str):
        return value
    return as_text(value) if isinstance(value, int | float | None) else value


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _quoted(value: JsonValue) -> str:
    return shlex.quote(as_text(value))


def _encoded(value: JsonValue) -> str:
    return base64.b64encode(as_text(value).encode()).decode("ascii")


def _decoded(value: str) -> str:
    return base64.b64decode(value, validate=True).decode()


def _line(exc: BaseException) -> str:
    """Return where in the template it went wrong; Jinja writes its lines into the traceback."""
    found, step = "", exc.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == _FILE:
            found = f"line {step.tb_lineno}: "
        step = step.tb_next
    return found


def _undefined(exc: UndefinedError, spec: FileSpec) -> str:
    """Say what is not there when the template itself says that name; a name that was computed may be a value."""
    quoted = (exc.message or "").rpartition("'")[0].rpartition("'")[2]
    return f"there is no {quoted!r}" if quoted and quoted in spec.template else "something is not defined"
