# Everything a developer needs: a machine with Python 3.11+ and make is enough.
#   make run    a demo home on http://127.0.0.1:8123
#   make test   all tests, some at a time; some of them: make test ARGS='tests/store -k redo -n 0'
#   make check  lint, format, types
#   make bench  how fast it is beside a bare server, in one run
#   make clean  remove all that make and the tools made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
export PIP_ROOT_USER_ACTION := ignore

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test check bench clean

help:
	@sed -n 's/^#   //p' Makefile

run: $(VENV)/runtime.stamp
	@$(BIN)/hallway demo

# A thousand processes import the program: what Python has compiled is kept, whatever the surroundings say.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -p tests.skips --numprocesses=3 --dist=worksteal --quiet $(ARGS)

check: $(VENV)/dev.stamp
	@failed=0; \
	$(BIN)/ruff check --quiet || failed=1; \
	$(BIN)/ruff format --check --quiet || failed=1; \
	$(BIN)/mypy --strict --no-error-summary || failed=1; \
	exit $$failed

bench: $(VENV)/runtime.stamp
	@$(BIN)/python -m benchmarks $(ARGS)

clean:
	@rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .schemathesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The virtual environment: made once, filled again when pyproject.toml changes.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "make: there is no $(PYTHON) here; install Python 3.11 or newer, or say: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $(PYTHON) is $$($(PYTHON) --version 2>&1), hallway needs 3.11 or newer; say: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "make: $(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) (once) ..."
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/runtime.stamp: pyproject.toml | $(BIN)/python
	@$(PIP) install --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	@$(PIP) install --editable '.[dev]'
	@touch $(VENV)/runtime.stamp $@
