"""The app: synthesizes the example stacks, for ``python -P -m aeterna.stacks`` and for the CDK's command line alike."""

from __future__ import annotations

from aeterna.stacks.examples.agents import agents
from aeterna.stacks.examples.beside import Beside
from aeterna.stacks.examples.environment import environment
from aeterna.stacks.examples.lakehouse import Lakehouse
from aeterna.stacks.examples.payments import Payments
from aeterna.stacks.examples.support import Support
from aeterna.stacks.examples.two_clouds import two_clouds
from aeterna.stacks.settings import StacksSettings
from aeterna.synth.app import App


def main() -> None:
    """Write every example stack into the output folder."""
    app = App(outdir=str(StacksSettings().outdir))
    environment(app)
    two_clouds(app)
    agents(app)
    Payments(app, "payments")
    Lakehouse(app, "lakehouse")
    Support(app, "support")
    Beside(app, "beside")
    app.synth()


if __name__ == "__main__":
    main()
