"""Reads the address of a receiver strictly: one spelling of each host, or none at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

from aeterna.threads.domain.addresses import Reach, reach_of
from aeterna.threads.errors import PushUrlRefusedError

MAX_URL: Final = 2048
_MAX_HOST: Final = 253
# Visible ASCII without what browsers and libraries read differently: quotes, backslashes, braces, spaces.
_URL: Final = re.compile(r"[!#-;=?-\[\]_a-z~]+", re.ASCII)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
# A last label that a browser would take for a number: octal, hexadecimal and decimal addresses end in one.
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_BRACKETS: Final = re.compile(r"\[[^\]]+\](:[0-9]+)?", re.ASCII)
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushUrl:
    """A receiver's address in its parts; ``host`` is a lower-case name, or an IP address in its one usual spelling."""

    text: str
    secure: bool
    host: str
    port: int
    target: str

    @property
    def place(self) -> str:
        """The host and port that receivers share."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRules:
    """Where notifications may go.

    By default to public addresses, over TLS, at ``ports``. A host that ``private`` names, as ``name`` or ``name:port``,
    may have a private address, and any port where it names one; with ``http``, and only for such hosts, TLS is not
    required.
    """

    ports: frozenset[int] = frozenset({443, 8443})
    private: frozenset[str] = frozenset()
    http: bool = False

    def is_private(self, host: str, port: int) -> bool:
        """Return whether the operator has named this host as one of the operator's own."""
        return host in self.private or f"{host}:{port}" in self.private

    def admits(self, address: str, host: str, port: int) -> bool:
        """Return whether a connection for this host may go to this address."""
        reach = reach_of(address)
        return reach is Reach.PUBLIC or (reach is Reach.PRIVATE and self.is_private(host, port))


def parse_push_url(text: str, rules: PushRules) -> PushUrl:
    """Return the address, or raise `PushUrlRefusedError` with what is wrong with it."""
    url = _read(text)
    private = rules.is_private(url.host, url.port)
    if not url.secure and not (rules.http and private):
        raise PushUrlRefusedError("its scheme is not https")
    if url.port not in rules.ports and url.place not in rules.private:
        raise PushUrlRefusedError(f"port {url.port} is not one that notifications may go to")
    if _is_address(url.host) and not rules.admits(url.host.strip("[]"), url.host, url.port):
        raise PushUrlRefusedError("its address is not public")
    return url


def _read(text: str) -> PushUrl:
    if len(text) > MAX_URL:
        raise PushUrlRefusedError(f"it is longer than {MAX_URL} characters")
    if not _URL.fullmatch(text):
        raise PushUrlRefusedError("it holds characters that a URL does not; write names in ASCII (xn--…)")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise PushUrlRefusedError("it is not a URL") from None
    if parts.scheme not in _PORTS:
        raise PushUrlRefusedError("its scheme is not https")
    if "@" in parts.netloc:
        raise PushUrlRefusedError("it names a user; send credentials by the configuration's authentication")
    if "#" in text:
        raise PushUrlRefusedError("it has a fragment, which is never sent")
    if parts.netloc.endswith(":"):
        raise PushUrlRefusedError("it has a colon without a port")
    return PushUrl(
        text=text,
        secure=parts.scheme == "https",
        host=_host(parts.hostname or "", parts.netloc),
        port=_PORTS[parts.scheme] if port is None else port,
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def _host(host: str, netloc: str) -> str:
    """Return the host in its one spelling; IPv6 in brackets."""
    if netloc.startswith("["):
        if "%" in host:
            raise PushUrlRefusedError("its address has a zone")
        if not _BRACKETS.fullmatch(netloc):
            raise PushUrlRefusedError("its host is not an IPv6 address")
        try:
            return f"[{IPv6Address(host)}]"
        except AddressValueError:
            raise PushUrlRefusedError("its host is not an IPv6 address") from None
    if not host or len(host) > _MAX_HOST:
        raise PushUrlRefusedError("it has no host, or too long a one")
    labels = host.removesuffix(".").split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        # Strict: four decimal numbers without leading zeros.
        try:
            return str(IPv4Address(host))
        except AddressValueError:
            raise PushUrlRefusedError("its host is an IP address in an unusual spelling") from None
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise PushUrlRefusedError("its host is not a name")
    return ".".join(labels)


def _is_address(host: str) -> bool:
    return host.startswith("[") or host.rsplit(".", 1)[-1].isdigit()
