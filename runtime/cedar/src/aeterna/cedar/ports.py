"""What the parts of the runtime need of Cedar: an engine that decides, and a compiler that makes one of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.cedar.domain.request import Request, Uid
    from aeterna.cedar.domain.verdict import Verdict


class Engine(Protocol):
    """Decides by one bundle. Kept by ``adapters.cedar``; faked in ``testing``."""

    def evaluate(self, request: Request) -> Verdict:
        """Return the verdict; whatever is wrong with the request is a deny that names the errors, never a raise."""
        ...

    def tenant_of(self, principal: Uid) -> str | None:
        """Return the tenant that everybody's entities say this one is of, in its attribute ``tenant``, or None."""
        ...

    def retire(self) -> None:
        """Give up memory, once nobody asks any more; may take long, so call it off the event loop."""
        ...


class Compiler(Protocol):
    """Makes an engine of a bundle. Kept by ``adapters.cedar``; faked in ``testing``."""

    def compile(self, bundle: Bundle) -> Engine:
        """Return the engine, or raise `BundleInvalidError`; may take long, so call it off the event loop."""
        ...
