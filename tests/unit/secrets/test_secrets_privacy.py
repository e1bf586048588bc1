"""The memory of the sidecar is its own, even before processes of its own user."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# The one keeps private or not, says so, and waits; the other one runs as the same user and reads the first's memory.
# Becoming another user makes a process private by itself; the prctl takes that back.
KEEPER = """
import ctypes, os, sys
from aeterna.secrets.adapters.process_privacy import keep_private
os.setgroups([]); os.setgid(65532); os.setuid(65532)
ctypes.CDLL(None).prctl(4, 1)
if sys.argv[1] == "private":
    keep_private()
print(flush=True)
sys.stdin.read()
"""
READER = """
import os, sys
os.setgroups([]); os.setgid(65532); os.setuid(65532)
try:
    open(f"/proc/{sys.argv[1]}/environ", "rb").read()
    open(f"/proc/{sys.argv[1]}/mem", "rb").close()
except PermissionError:
    print("refused")
else:
    print("read")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two processes of another user")
@pytest.mark.parametrize(("kept", "expected"), [("private", "refused"), ("open", "read")])
def test_another_process_of_the_same_user_reads_its_memory_only_where_it_is_not_kept(kept: str, expected: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-c", KEEPER, kept], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as keeper:
        assert keeper.stdout is not None
        keeper.stdout.readline()

        tried = subprocess.run(
            [sys.executable, "-c", READER, str(keeper.pid)], capture_output=True, text=True, check=True
        )

        assert keeper.stdin is not None
        keeper.stdin.close()
    assert tried.stdout.strip() == expected
