# make serve   set up and serve on http://127.0.0.1:8000
# make test    set up and run every test
# make check   set up and run linter, formatter, type checker and import contracts
# make lock    renew the lock files from pyproject.toml (needs uv)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade
PARALLEL ?= auto

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve test check lock clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

serve: $(VENV)/.serve-ready
	$(BIN)/backpath serve

test: $(VENV)/.test-ready
	$(BIN)/python -m pytest -n $(PARALLEL)

check: $(VENV)/.test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or later is needed; try: make PYTHON=python3.12'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.serve-ready: $(VENV)/.python .requirements.lock .requirements-build.lock pyproject.toml
	$(INSTALL) --require-hashes -r .requirements.lock -r .requirements-build.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.test-ready: $(VENV)/.serve-ready .requirements-test.lock
	$(INSTALL) --require-hashes -r .requirements-test.lock
	touch $@

lock:
	$(LOCK) pyproject.toml --output-file .requirements.lock
	$(LOCK) pyproject.toml --extra test --constraint .requirements.lock \
		--output-file .requirements-test.lock
	echo setuptools | $(LOCK) - --output-file .requirements-build.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
