# Chores. `make demo` and `make test` set up by themselves and need nothing else.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench prove prove-loop chaos histories lock clean

help:  ## list the chores
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP)  ## build .venv from the hashed lock file; does nothing when it is up to date

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Kairos needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup  ## a live shop, Dagster and an inbox to read the emails in (ARGS=--for=60s ends by itself)
	@$(BIN)/kairos demo $(ARGS)

test: setup  ## everything: lint, import rules, models, tests, stories
	@$(BIN)/python -m tests.run $(ARGS)

lint: setup  ## style and import rules alone
	@$(BIN)/python -m tests.run lint imports sql

bench: setup  ## measure and write docs/benchmarks.md (ONLY=latency|timers|intake|dispatch|scale|idle|setup)
	@$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only $(ONLY))

prove: setup  ## methods of learning and measuring against public data (DATA=folder; docs/experiments.md)
	@$(BIN)/python -m tests.prove $(or $(DATA),../shared/data)

prove-loop: setup  ## holdout, caps and bandit in shops whose truth is known (REPLICATES=600)
	@$(BIN)/python -m tests.prove.loop --replicates $(or $(REPLICATES),600)

chaos: setup  ## kill everything at random moments (CYCLES=200 SEED=1; POWER=1 cuts the power instead, as root)
	@$(BIN)/python -m tests.chaos --cycles $(or $(CYCLES),200) --seed $(or $(SEED),1) $(if $(POWER),--power) $(ARGS)

histories: setup  ## live through thousands of random histories; no sequence may break its word (EXAMPLES=12)
	@EXAMPLES=$(or $(EXAMPLES),12) $(BIN)/python -m pytest -q tests/stories/test_sequences_hold.py

lock: setup  ## renew requirements.lock from pyproject.toml (needs the uv package)
	$(BIN)/python -m tests.lock

clean:  ## remove what was built and what the demo wrote
	rm -rf .venv build *.egg-info data/demo data/bench data/replay
