"""What engines, compilers and sources of bundles owe the sidecar: the fakes obey as Cedar and the folder do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.request import Request, Uid
from aeterna.cedar.errors import BundleInvalidError, BundleUnreadableError
from aeterna.cedar.ports import Compiler
from aeterna.cedar.testing import FakeCompiler
from aeterna.policy.settings import SHIPPED
from aeterna.policy.testing import FakeBundleSource
from aeterna.policy.usecases.asking import request_of
from fixtures.bundle_administration import Administration
from fixtures.fix_policy import question

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.policy.ports import BundleSource

SHIPPED_BUNDLE = DirectoryBundleSource(SHIPPED).read()
FAKE_BUNDLE = Bundle(policies={"graph.read.cedar": "permit"}, schema="")


@dataclass(frozen=True)
class Toolchain:
    """A compiler, a bundle that permits readers to read the graph, and one that is no good."""

    compiler: Compiler
    good: Bundle
    bad: Bundle


TOOLCHAINS = {
    "fake": Toolchain(FakeCompiler(), FAKE_BUNDLE, Bundle(policies={"graph.read.cedar": ""}, schema="")),
    "cedar": Toolchain(
        CedarCompiler(), SHIPPED_BUNDLE, Bundle(policies={"a.cedar": "permit ("}, schema=SHIPPED_BUNDLE.schema)
    ),
}


@pytest.fixture(params=TOOLCHAINS)
def toolchain(request: pytest.FixtureRequest) -> Toolchain:
    """Return each implementation in turn."""
    return TOOLCHAINS[request.param]


def test_a_good_bundle_decides(toolchain: Toolchain) -> None:
    engine = toolchain.compiler.compile(toolchain.good)

    verdicts = [engine.evaluate(request_of(question(action))) for action in ("graph.read", "graph.write")]

    assert [verdict.allowed for verdict in verdicts] == [True, False]
    assert verdicts[0].policies


def test_a_bad_bundle_becomes_no_engine(toolchain: Toolchain) -> None:
    with pytest.raises(BundleInvalidError):
        toolchain.compiler.compile(toolchain.bad)


def test_an_engine_answers_whatever_it_is_asked(toolchain: Toolchain) -> None:
    odd = Request(
        principal=Uid("", ""),
        action=Uid("Aeterna::Action", "\x00"),
        resource=Uid("Aeterna::::", '"'),
        context={"": []},
        tenant="../..",
    )

    assert not toolchain.compiler.compile(toolchain.good).evaluate(odd).allowed


def test_an_engine_gives_the_same_answer_twice(toolchain: Toolchain) -> None:
    engine = toolchain.compiler.compile(toolchain.good)

    assert engine.evaluate(request_of(question())) == engine.evaluate(request_of(question()))


SOURCES = ("fake", "directory", "http")


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, bundle_folder: Path, tmp_path: Path) -> BundleSource:
    """Return each source with a bundle in it."""
    if request.param == "http":
        return Administration(tmp_path).source()
    return FakeBundleSource(FAKE_BUNDLE) if request.param == "fake" else DirectoryBundleSource(bundle_folder)


@pytest.fixture(params=SOURCES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> BundleSource:
    """Return each source with nothing in it."""
    if request.param == "http":
        administration = Administration(tmp_path)
        administration.answer = httpx.Response(404)
        return administration.source()
    trouble = BundleUnreadableError("nowhere", "FileNotFoundError")
    return FakeBundleSource(trouble) if request.param == "fake" else DirectoryBundleSource(tmp_path / "nowhere")


def test_what_did_not_change_is_read_as_the_same_bundle(source: BundleSource) -> None:
    assert source.read().digest() == source.read().digest()


def test_where_there_is_nothing_there_is_no_bundle(empty: BundleSource) -> None:
    with pytest.raises(BundleUnreadableError):
        empty.read()
