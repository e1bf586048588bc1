"""A service or a test that only speaks the contracts pays for neither node nor the engine."""

from __future__ import annotations

import json
import subprocess
import sys

PROBE = """
import importlib, json, pkgutil, sys

before = set(sys.modules)
started = []
starting = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec"}
sys.addaudithook(lambda event, _: started.append(event) if event in starting else None)

import aeterna.contracts as contracts
for module in pkgutil.iter_modules(contracts.__path__):
    importlib.import_module(f"aeterna.contracts.{module.name}")

files = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
foreign = sorted(name for name, file in files.items() if "site-packages" in file)
print(json.dumps({"started": started, "foreign": foreign}))
"""


def test_the_contracts_start_nothing_and_import_only_the_standard_library() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", PROBE], check=True, capture_output=True, text=True)

    assert json.loads(done.stdout) == {"started": [], "foreign": []}
