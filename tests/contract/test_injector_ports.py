"""What definitions and the listener's certificate owe the injector: the fakes obey as files and TLS do."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.injector.adapters.definition_files import DefinitionFiles
from aeterna.injector.adapters.serving_context import ServingContext
from aeterna.injector.domain.certificates import KeyPair, issued, new_authority
from aeterna.injector.domain.definition import Definition
from aeterna.injector.ports import Definitions, Presenter
from aeterna.injector.testing import FakeDefinitions, FakePresenter
from fixtures.pods_for_injection import INSTALLATION, WORKLOADS

if TYPE_CHECKING:
    from pathlib import Path


BEGUN = Definition(installation=INSTALLATION, workloads=WORKLOADS)
CHANGED = replace(BEGUN, installation=replace(INSTALLATION, version="1.3.2"))


@dataclass(frozen=True, kw_only=True)
class Told:
    """Definitions, and a way to tell others."""

    definitions: Definitions
    tell: Callable[[Definition], None]


def fake_told(_: Path) -> Told:
    """Return the fake that is shipped."""
    made = FakeDefinitions(BEGUN)

    def tell(definition: Definition) -> None:
        made.definition = definition

    return Told(definitions=made, tell=tell)


def told_by_files(folder: Path) -> Told:
    """Return what two files say, by a clock that every look moves."""
    installation, workloads = folder / "installation.json", folder / "workloads.json"
    moments = iter(range(1000))

    def tell(definition: Definition) -> None:
        for file, text in ((installation, definition.installation.document()), (workloads, WORKLOADS.document())):
            file.with_suffix(".new").write_text(text)
            file.with_suffix(".new").replace(file)

    tell(BEGUN)
    files = DefinitionFiles(installation=installation, workloads=workloads, steady=lambda: float(next(moments)))
    return Told(definitions=files, tell=tell)


TOLD = pytest.mark.parametrize("told", [fake_told, told_by_files], ids=["fake", "files"])


@TOLD
def test_as_long_as_nothing_changes_it_is_the_same_definition(told: Callable[[Path], Told], tmp_path: Path) -> None:
    definitions = told(tmp_path).definitions

    first = definitions.current()

    assert first == BEGUN
    assert definitions.current() is first
    assert definitions.fault is None


@TOLD
def test_what_is_told_later_is_in_force(told: Callable[[Path], Told], tmp_path: Path) -> None:
    found = told(tmp_path)

    found.tell(CHANGED)

    assert found.definitions.current() == CHANGED


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A presenter, and the certificate (DER) that a client is shown by it; none while it has none."""

    presenter: Presenter
    seen: Callable[[], bytes | None]


def fake_shown() -> Shown:
    """Return the fake that is shipped."""
    made = FakePresenter()
    return Shown(presenter=made, seen=lambda: _der(made.shown[-1]) if made.shown else None)


def shown_by_tls() -> Shown:
    """Return a context, and what a handshake with it in memory shows."""
    made = ServingContext()
    return Shown(presenter=made, seen=lambda: _handshake(made.context))


def _der(pair: KeyPair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.pem)


def _handshake(context: ssl.SSLContext) -> bytes | None:
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = careless.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError:
            return None
    return client.getpeercert(binary_form=True)


@pytest.mark.parametrize("shown", [fake_shown, shown_by_tls], ids=["fake", "TLS"])
def test_the_certificate_that_was_presented_last_is_shown(shown: Callable[[], Shown]) -> None:
    now, found = datetime.now(UTC), shown()
    authority = new_authority("aeterna", now=now, life=timedelta(days=365))
    first, second = (issued(authority, ("injector",), now=now, life=timedelta(days=30)) for _ in range(2))

    before = found.seen()
    found.presenter.present(first)
    between = found.seen()
    found.presenter.present(second)

    assert (before, between, found.seen()) == (None, _der(first), _der(second))
