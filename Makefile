# Needs only Python >= 3.11, git and make: every target sets up .venv itself. `make help` lists them.
#
#   make run PYTHON=python3.12        another interpreter
#   make run TORCH="torch==2.13.0+cpu --index-url <your index>"      another build of PyTorch
#   make test JOBS=8                  more test processes

PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch
JOBS ?= 2
OUT ?= runs/quickstart
SWEEPS ?= 3

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONSTRAINTS := .ci/constraints.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# The test processes share the cores, so that each gets one thread.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
# The peer of the speed table. It asks for pygame, which clashes with pygame-ce (same import name): no dependencies.
PEER := mobile-env==2.1.0 shapely==2.2.0 svgpath2mpl==1.0.0

.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow lint format benchmark docs readme oracles constraints clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python >= 3.11 is needed, " + \
	    sys.executable + " is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	# torch by itself and first: a build that TORCH chooses is kept by what is installed after it.
	$(PIP) --constraint $(CONSTRAINTS) $(TORCH)
	$(PIP) --constraint $(CONSTRAINTS) --editable ".[all]"
	@touch $@

setup: $(STAMP)  ## Create .venv and install everything (the other targets do this by themselves)

run: setup  ## Quick start: heuristics, bound and a freshly trained agent on real orbits, as a report
	$(BIN)/ntn-gym benchmark configs/benchmark/quickstart.yaml --out $(OUT)
	$(BIN)/ntn-gym report $(OUT)
	@echo "Report: $(OUT)/report.html"

test: setup  ## The default tests (minutes)
	$(PYTEST) -n $(JOBS) --dist worksteal

test-slow: setup  ## The tests that train
	$(PYTEST) -n $(JOBS) --dist worksteal -m "slow and not benchmark"

lint: setup  ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup  ## Bring the code into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: setup  ## The speed table, beside a peer in the same run
	$(PIP) --no-deps $(PEER)
	$(PYTEST) -m benchmark --benchmark-enable --benchmark-columns=min,median,ops --sweeps $(SWEEPS) tests/benchmarks

docs: setup  ## One page per environment, from the registry, into site/
	$(BIN)/ntn-gym docs --out site

readme: setup  ## Renew the generated table of README.md
	$(BIN)/ntn-gym docs --readme

oracles: setup  ## Renew the table of what the physics is checked against (tests/physics/README.md, minutes)
	$(BIN)/python tests/physics/write_oracles.py

constraints: setup  ## Write the installed versions to .ci/constraints.txt
	{ sed -n '/^#/p' $(CONSTRAINTS); $(BIN)/python -m pip list --format=freeze --exclude ntn-gym --exclude pip \
	    | sed -e 's/+.*//' | LC_ALL=C sort -f; } > $(CONSTRAINTS).new
	mv $(CONSTRAINTS).new $(CONSTRAINTS)

clean:  ## Remove .venv and caches (results in runs/ stay)
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .benchmarks .hypothesis
