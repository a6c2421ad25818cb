# Every command creates what it needs in .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run up down test lint format chaos fuzz soak lock samples accuracy clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.cpu ## Process the sample photos and write packshot-data/report.html
	$(BIN)/packshot run --sample

up: .venv/.dev ## Start the whole installation on this machine, without containers
	$(BIN)/python -m tools.up up

down: ## End it, and delete what it has left
	$(BIN)/python -m tools.up down

# Each process starts servers of its own, so a few processes, however many cores there are.
test: .venv/.dev ## Run every test; servers that are not there are started from packages
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: .venv/.dev ## ruff, mypy --strict, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

chaos: .venv/.dev ## Kill, cut and freeze everything under load, and count what is lost or doubled
	$(BIN)/python -m tests.chaos.run

fuzz: .venv/.dev ## 10,000 mutated messages and 2,000 mutated photos, and what became of each
	$(BIN)/python -m tests.chaos.fuzz

soak: .venv/.dev ## An hour under moderate load: what grows, and how fast
	$(BIN)/python -m tests.chaos.soak

lock: .venv/.dev ## Compile requirements/*.lock again from pyproject.toml
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/lock.py

samples: .venv/.dev ## Draw the sample photos again (needs the fonts of Debian's fonts-noto-cjk)
	$(BIN)/python -m tools.samples.draw

accuracy: .venv/.dev ## Measure text, category and matte against the samples' ground truth
	$(BIN)/python -m tests.benchmarks.accuracy

clean: ## Remove the environment and what a run has left
	rm -rf .venv packshot-data .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Packshot needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

# The build backend comes out of the lock too, so that an install runs only what was hashed. The locks
# are complete: `--no-deps` keeps pip from looking for newer releases, which older pips then refuse.
.venv/.cpu: .venv/bin/python requirements/cpu.lock requirements/build.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r requirements/cpu.lock -r requirements/build.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.cpu requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r requirements/dev.lock
	@touch $@
