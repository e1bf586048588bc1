"""The program: reads its settings, serves until told to stop, and gives everything back."""

from __future__ import annotations

import gc

from aeterna.secrets.adapters.process_privacy import keep_private
from aeterna.secrets.adapters.quiet_libraries import quieten
from aeterna.secrets.main.composing import NAME, build
from aeterna.secrets.settings import SecretsSettings
from aeterna.service.lifecycle import listen, one_line_refusals, serve
from aeterna.service.settings import load
from aeterna.service.telemetry import configure


def main() -> None:
    """Serve until told to stop; exit with status 1 and one line when that cannot even begin."""
    keep_private()
    with one_line_refusals(NAME):
        settings = load(SecretsSettings)
        configure(NAME, settings)
        quieten()
        listener = listen(host=settings.host, port=settings.port, uds=str(settings.socket))
        try:
            app = build(settings)
            gc.collect()
            gc.freeze()
            serve(
                app,
                host=settings.host,
                port=settings.port,
                drain_delay=settings.drain_delay,
                drain_timeout=settings.drain_timeout,
                listener=listener,
            )
        finally:
            listener.close()
            settings.socket.unlink(missing_ok=True)
