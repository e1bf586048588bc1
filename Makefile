# The commands of the workspace. `make help` lists them; `make up` and `make test` need nothing but Python 3.11+ and make.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# What a test asks of time leaves room for a neighbour, not for a crowd.
TEST_PROCESSES ?= 2
MEMBERS := $(patsubst %/pyproject.toml,%,$(wildcard constructs/*/pyproject.toml stacks/pyproject.toml runtime/*/pyproject.toml sidecars/*/pyproject.toml))

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

.venv/installed: requirements.lock .make/bootstrap.py $(addsuffix /pyproject.toml,$(MEMBERS))
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "error: no $(PYTHON) on PATH. Install Python 3.11 or newer, or run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) .make/bootstrap.py $(MEMBERS)

.PHONY: venv
venv: .venv/installed ## Make .venv from requirements.lock

.PHONY: up
up: .venv/installed ## Synthesize the examples, start the runtime, load the sample corpus
	@$(BIN)/aeterna up

.PHONY: down
down: .venv/installed ## Stop what `make up` started
	@$(BIN)/aeterna down

.PHONY: synth
synth: .venv/installed ## Synthesize the example stacks into cdktf.out
	@$(BIN)/python -P -m aeterna.stacks

.PHONY: test
test: .venv/installed ## Run the tests, two files at a time (TEST_PROCESSES=N)
	@$(BIN)/python -P -m pytest -n $(TEST_PROCESSES) --dist loadfile

.PHONY: test-cdktn
test-cdktn: .venv/installed ## Run the synthesis suite on cdktn, the fork of the CDK's core
	@$(BIN)/python -P tests/synth/lane_cdktn.py

.PHONY: lint
lint: .venv/installed ## Run ruff, pyright, import-linter and deptry
	@$(BIN)/python -P .make/lint.py

.PHONY: format
format: .venv/installed ## Format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

.PHONY: diagram
diagram: .venv/installed ## Draw the layers of docs/architecture.md from the linter's configuration
	@$(BIN)/python -P .make/layers.py

.PHONY: lock
lock: ## Resolve the newest allowed versions and rewrite every lock file
	@$(PYTHON) .make/lock.py

.PHONY: opal
opal: .venv/installed ## Make the environment of OPAL, which cannot share ours, and print its folder
	@.make/alone.sh opal

.PHONY: tables
tables: .venv/installed ## Write the tables of the guide and the contract's JSON Schema from the code
	@$(BIN)/python -P .make/tables.py

.PHONY: bench
bench: .venv/installed ## Run every benchmark (one: make bench-NAME)
	@$(BIN)/python -P .make/bench.py

.PHONY: bench-keep
bench-keep: .venv/installed ## Run every benchmark and keep the results in docs/performance
	@$(BIN)/python -P .make/bench.py --keep

.PHONY: plots
plots: .venv/installed ## Draw the kept results of docs/performance
	@$(BIN)/python -P .make/plots.py && $(BIN)/python -P .make/bench.py --page

bench-%: .venv/installed
	@$(BIN)/python -P .make/bench.py $*
