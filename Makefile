# Needs Python 3.11 or newer and make, nothing else: every target sets up what it uses.
# Choose the interpreter with `make setup PYTHON=/path/to/python3`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(VENV)/.pip
READY := $(VENV)/.ready
PROJECTS := clients/python . $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
MANIFESTS := $(patsubst %,%/pyproject.toml,$(PROJECTS))
PINS := requirements/constraints.txt
# hatchling is in the dev group, so that building needs no isolated environment and no unpinned version.
INSTALL := $(BIN)/python -m pip install --quiet --constraint $(PINS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test bench check protos verify soak oracles format pins clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: $(READY) ## Make .venv with the broker, its client and every plugin; .venv/bin/waypost runs it

$(READY): $(PIP) $(MANIFESTS) $(PINS)
	$(INSTALL) --group dev
	$(INSTALL) --no-build-isolation $(patsubst %,--editable %,$(PROJECTS))
	@touch $@
	@echo "Ready: $(BIN)/waypost"

# pip on its own and first: the one that comes with Python may not know dependency groups.
$(PIP):
	@test -n "$(PYTHON)" || { echo "make: no python3 found; set PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "make: Python has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(INSTALL) pip
	@touch $@

demo: $(READY) ## Start a broker, send a few messages and follow them to their ends
	@$(BIN)/python examples/demo.py

# Workers take over what others have left, since single tests differ a hundredfold in time.
test: $(READY) ## Run every test but the soak, on all cores; ARGS="tests/unit -k routes" picks some
	@$(BIN)/pytest --numprocesses auto --maxprocesses 8 --dist worksteal $(ARGS)

soak: $(READY) ## Run the heavier tests
	@$(BIN)/pytest -m soak

oracles: ## Install what other languages make of a text, for the tests that compare; needs npm
	npm install --prefix tests/oracles --no-package-lock --ignore-scripts --no-audit --no-fund --silent

bench: $(READY) ## Measure speed beside references; ARGS="--quick" takes a minute and a half
	@$(BIN)/python -m bench $(ARGS)

check: $(READY) ## Lint, format, types, import rules, protos, and whether what is generated is current
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/buf lint protos
	@$(BIN)/python tools/protos.py --breaking
	@$(BIN)/python tools/pins.py --check
	@$(MAKE) --no-print-directory verify

protos: $(READY) ## Write the Python stubs, docs/lifecycle.md and docs/coverage.md anew
	@$(BIN)/python tools/protos.py
	@$(BIN)/python tools/lifecycle_diagram.py
	@$(BIN)/python tools/coverage.py

verify: $(READY) ## Fail when a generated file is not what its source makes
	@$(BIN)/python tools/protos.py --check
	@$(BIN)/python tools/lifecycle_diagram.py --check
	@$(BIN)/python tools/coverage.py --check

format: $(READY) ## Format the code and fix what ruff can fix
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

pins: $(PIP) ## Pin new dependencies; UPGRADE=1 renews all versions
	@$(BIN)/python tools/pins.py $(if $(UPGRADE),--upgrade)

clean: ## Remove .venv and everything that tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name .git -prune -o -type d \( -name __pycache__ -o -name '*.egg-info' \) -exec rm -rf {} +
