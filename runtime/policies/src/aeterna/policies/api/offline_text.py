"""Findings and differences as text: a line that says where and what, and a request that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.policies.domain import wording
from aeterna.policies.domain.findings import Kind
from aeterna.policies.domain.requests import asking, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.cedar.domain.request import Request
    from aeterna.policies.domain.findings import Difference, Finding, Report

_INDENT: Final = "      "
_CONTROLS: Final = {code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0))}
"""What could command a terminal, should the text of a policy hold it: written as Python writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Colours, where they are wanted."""

    colored: bool

    def bad(self, text: str) -> str:
        """Return what must be mended."""
        return self._in("1;31", text)

    def unsure(self, text: str) -> str:
        """Return what should be looked at."""
        return self._in("1;33", text)

    def good(self, text: str) -> str:
        """Return what is as it should be."""
        return self._in("32", text)

    def strong(self, text: str) -> str:
        """Return what the eye should find."""
        return self._in("1", text)

    def faint(self, text: str) -> str:
        """Return what the eye may skip."""
        return self._in("2", text)

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colored else text


def report_text(report: Report, style: Style, *, everything: bool, strict: bool) -> str:
    """Return the findings, a blank line between them, and what they come to."""
    told = [found for found in report.findings if everything or found.intended is None]
    blocks = ["\n".join(_finding(found, style)) for found in told]
    return "\n\n".join([*blocks, "\n".join(_summary(report, style, len(told), strict=strict))]) + "\n"


def differences_text(differences: Sequence[Difference], style: Style, *, entities_changed: bool) -> str:
    """Return who gains and who loses."""
    lines: list[str] = []
    for one in differences:
        of = f" of {one.tenant}" if one.tenant else ""
        lines.append(style.strong(f"{one.principal_type}{of} asks {one.action} of {one.resource_type}"))
        for requests, word, sign in ((one.gained, "gains", style.good("+")), (one.lost, "loses", style.bad("-"))):
            for request in requests:
                lines.append(f"  {sign} {word}, for example:")
                lines.extend(_request(request, style))
        if one.undecided is not None:
            lines.append(f"  {style.unsure('?')} not known: {one.undecided}")
        lines.append("")
    if entities_changed:
        lines += [f"{style.unsure('note:')} stored entities differ too: who is in which group was not compared", ""]
    if not differences:
        lines.append(style.good("nobody gains and nobody loses"))
    else:
        gain, lose = sum(bool(one.gained) for one in differences), sum(bool(one.lost) for one in differences)
        lines.append(f"{gain} shapes of request gain, {lose} lose")
    return "\n".join(lines) + "\n"


def _finding(found: Finding, style: Style) -> Iterator[str]:
    where = found.place.file if found.place.line is None else f"{found.place.file}:{found.place.line}"
    of = f" [tenant {found.tenant}]" if found.tenant else ""
    excused = style.faint(f" (meant: {found.intended})") if found.intended else ""
    message = found.message.translate(_CONTROLS)
    yield f"{style.strong(where.translate(_CONTROLS))}: {_kind(found, style)}:{of} {message}{excused}"
    if found.example is not None:
        yield f"{_INDENT[2:]}{style.faint('for example')}"
        yield from _request(found.example, style)
    if found.refuses and found.kind in {Kind.OPPOSING, Kind.OVERRIDDEN}:
        yield (
            f"{_INDENT[2:]}{style.faint('ask it')}  POST /v1/is_authorized {asking(found.example)}"
            if found.example
            else ""
        )
        yield f"{_INDENT[2:]}{style.faint('mend')}    {wording.remedy(*found.policies)}"


def _kind(found: Finding, style: Style) -> str:
    if found.refuses:
        return style.bad(found.kind.value)
    return style.unsure(found.kind.value) if found.intended is None else style.faint(found.kind.value)


def _request(request: Request, style: Style) -> Iterator[str]:
    rows = shown(request)
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        yield f"{_INDENT}{style.faint(f'{name:<{width}}')}  {value.translate(_CONTROLS)}"


def _summary(report: Report, style: Style, told: int, *, strict: bool) -> Iterator[str]:
    excused = len(report.findings) - sum(found.intended is None for found in report.findings)
    refusing = sum(found.refuses for found in report.findings)
    undecided = sum(found.kind is Kind.UNDECIDED for found in report.findings)
    looked = f"{report.policies} policies, {report.pairs} pairs compared"
    if undecided:
        yield f"{style.unsure('warning:')} {undecided} undecided: this is not known to be clean" + (
            "" if strict else "; --strict refuses it"
        )
    if excused:
        yield style.faint(
            f"{excused} overrides are meant, as annotations say" + ("" if told > excused else "; --all shows them")
        )
    if refusing or (strict and undecided):
        yield f"{style.bad('refused:')} {refusing} findings must be mended ({looked})"
    elif undecided:
        yield f"{style.unsure('not refused')} ({looked})"
    else:
        others = sum(found.intended is None for found in report.findings)
        yield f"{style.good('clean' if not others else 'not refused')} ({looked})"
