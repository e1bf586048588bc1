"""The TLS context of the listener, whose certificate changes under it while it serves."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aeterna.injector.domain.certificates import KeyPair


class ServingContext:
    """A server's context, TLS 1.2 or newer; until it is given a certificate no handshake succeeds."""

    def __init__(self) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_RENEGOTIATION
        self.context.set_alpn_protocols(["http/1.1"])

    def present(self, pair: KeyPair) -> None:
        """Show this certificate in handshakes that begin from now on.

        OpenSSL reads it from files alone; they are for its owner and gone at once. Connections go on as they began.
        """
        with tempfile.TemporaryDirectory(prefix="aeterna-tls-") as folder:
            path = Path(folder) / "pair.pem"
            path.touch(mode=0o600)
            path.write_text(pair.key + pair.certificate.pem)
            self.context.load_cert_chain(path)
