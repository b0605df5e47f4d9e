# SPDX-License-Identifier: Apache-2.0
# `make` prints its targets. Everything stays inside this folder (.venv, run, .cache), but for `make peers`.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 5300
API_PORT ?= 9001
SECONDS ?= 60
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run api build test interop lint types format fuzz fuzz-api bench bench-quick bench-api peers soak docs migration ci clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, then start a primary with the sample zone (PORT=5300, or the next free one)
	@$(BIN)/python scripts/run.py $(PORT)

api: build ## build, then start the control plane's API over SQLite in run/api (API_PORT=9001, or the next free one)
	@$(BIN)/python scripts/api.py $(API_PORT)

build: $(VENV)/.ready ## compile the extensions in place
	@$(BIN)/python setup.py -q build_ext --inplace -j $$(nproc)

test: build $(VENV)/.test peers-if-possible ## all tests (ARGS="-k name" for some), with peers installed where that is possible
	$(BIN)/python -m pytest $(ARGS)

interop: build $(VENV)/.test peers-if-possible ## only the tests with BIND, Knot, NSD and PowerDNS as secondaries
	$(BIN)/python -m pytest tests/interop $(ARGS)

lint: $(VENV)/.lint types ## ruff, mypy, and a Cython build that must print no hint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/hints.py

types: $(VENV)/.lint ## mypy, strict
	$(BIN)/mypy

format: $(VENV)/.lint ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

fuzz: $(VENV)/.ready peers-if-possible ## fuzz the parsers under ASan and UBSan for SECONDS=60
	$(BIN)/python tests/fuzz/run.py --seconds $(SECONDS)

fuzz-api: build $(VENV)/.test ## send the API whatever its OpenAPI document allows, and what it doesn't, for SECONDS=60
	SCHEMA_SECONDS=$(SECONDS) $(BIN)/python -m pytest tests/e2e/test_schema.py $(ARGS)

bench: build $(VENV)/.test peers-if-possible ## measure beside NSD, Knot, BIND and PowerDNS; fills the README's table
	$(BIN)/python -m bench $(ARGS)

bench-quick: build $(VENV)/.test ## the same with small zones: a minute, and no numbers to quote
	$(BIN)/python -m bench --quick $(ARGS)

bench-api: build $(VENV)/.test peers-if-possible ## measure the API beside PowerDNS', on SQLite and where PostgreSQL and MariaDB answer
	$(BIN)/python -m bench api $(ARGS)

peers: ## install BIND, NSD, Knot, PowerDNS and their tools (Debian, as root or by sudo; starts no service)
	@tests/install-peers.sh

.PHONY: peers-if-possible
peers-if-possible:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then tests/install-peers.sh; \
	else echo "fastmdns: tests that need a name server which is not installed will skip; 'make peers' installs them"; fi

soak: build $(VENV)/.test ## load, reloads and kills for MINUTES=10, watching memory and descriptors
	$(BIN)/python scripts/soak.py --minutes $(or $(MINUTES),10)

docs: build ## write the reference of all settings again (docs/configuration.md)
	$(BIN)/python scripts/reference.py

migration: build ## write the schema's first revision again from control/storage/tables.py
	$(BIN)/python scripts/migration.py
	$(BIN)/ruff format -q control/storage/migrations

ci: ## what a submission must pass
	CI=true .ci/run

clean: ## remove what was built, but not .venv
	rm -rf build dist run .cache fuzz-work ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find fastmdns bench -name '*.so' -delete -o -name '*.c' -delete -o -name '*.html' -delete
	find . -name __pycache__ -prune -exec rm -rf {} + -o -path './$(VENV)' -prune

# The virtual environment, in layers; each is laid again when the project's lists change. Its `fastmdns` runs this folder.
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
$(VENV)/.ready: pyproject.toml
	@PYTHON=$(PYTHON) scripts/prerequisites
	@echo "fastmdns: making $(VENV), then compiling: a minute or two, once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) $$($(BIN)/python scripts/requires.py build run control)
	@FASTMDNS_EXTENSIONS=none $(PIP) --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.test: $(VENV)/.ready
	@$(PIP) $$($(BIN)/python scripts/requires.py test e2e)
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	@$(PIP) $$($(BIN)/python scripts/requires.py lint)
	@touch $@
