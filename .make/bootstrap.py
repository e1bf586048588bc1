"""Make ``.venv`` from ``requirements.lock`` with nothing but a Python 3.11 or newer.

usage: python3 bootstrap.py MEMBER...   (the folders of the workspace's distributions, installed as editable)

Written so that an older Python can still parse it and say what is wrong.
"""

import hashlib
import os
import subprocess
import sys
import time
from typing import NoReturn

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
FLOOR = (3, 11)


def stop(message: str) -> NoReturn:
    """Print one error that says how to mend it, and leave."""
    sys.stderr.write("error: " + message + "\n")
    sys.exit(1)


def check_python() -> None:
    """Refuse a Python below the floor or without the modules that a virtual environment needs."""
    if sys.version_info[:2] < FLOOR:
        stop(
            "Aeterna needs Python %d.%d or newer; %s is %d.%d. " % ((*FLOOR, sys.executable, *sys.version_info[:2]))
            + "Install a newer one and run: make PYTHON=/path/to/python3.11 up"
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - its absence is what we look for
        import venv  # noqa: F401, PLC0415 - as above
    except ImportError as missing:
        stop(
            "{} has no module {!r}. On Debian or Ubuntu run: apt-get install python{}.{}-venv".format(
                sys.executable, missing.name, *sys.version_info[:2]
            )
        )


def pinned_uv() -> str:
    """Return the lines of the lock that pin uv with its hashes, as a requirements file of their own."""
    lines: "list[str]" = []
    with open(LOCK) as lock:
        for line in lock:
            if lines and not line.startswith(" "):
                break
            if lines or line.startswith("uv=="):
                lines.append(line)
    if not lines:
        stop("requirements.lock does not pin uv; restore it with: git checkout requirements.lock")
    return "".join(lines)


def run(step: str, command: "list[str]") -> None:
    """Run one step and say how long it took; on failure show its output and stop."""
    started = time.time()
    sys.stderr.write("  %s ... " % step)
    sys.stderr.flush()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.stderr.write("failed\n" + done.stdout.decode("utf-8", "replace"))
        stop("%s failed: %s" % (step, " ".join(command)))
    sys.stderr.write("%.1f s\n" % (time.time() - started))


def main(members: "list[str]") -> None:
    """Create or update the environment; the stamp file tells make that it is complete."""
    check_python()
    python = os.path.join(VENV, "bin", "python")
    sys.stderr.write("Preparing .venv\n")
    uv = os.path.join(VENV, "bin", "uv")
    if not os.path.exists(uv):
        # Whatever an interrupted run left behind is cleared: half an environment is worse than none.
        run("creating the environment", [sys.executable, "-m", "venv", "--clear", VENV])
    pin = os.path.join(VENV, "uv.txt")
    with open(pin, "w") as file:
        file.write(pinned_uv())
    if not os.path.exists(uv):
        run("installing uv", [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", pin])
    run(
        "installing the pins",
        [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes", "--python", python, LOCK],
    )
    editable = [argument for member in members for argument in ("-e", member)]
    run("installing the workspace", [uv, "pip", "install", "--quiet", "--no-deps", "--python", python, *editable])
    with open(LOCK, "rb") as lock, open(os.path.join(VENV, "installed"), "w") as stamp:
        stamp.write(hashlib.sha256(lock.read()).hexdigest() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
