# make serve      set up and serve on http://127.0.0.1:8000
# make test       set up and run every test
# make check      set up and run linter, formatter, type checker and import contracts
# make pictures   take the pictures of the README anew, with Debian's chromium
# make load       serve, post every synthetic patient at full speed, and report
# make bench      set up apart and measure the service against others; BENCH="--help" says how
# make bench-population  the same for whole populations; needs 40 GB of disk, and Java for Spark
# make lock       renew the lock files from pyproject.toml (needs uv)
# make audit      look up the pinned packages in a public list of vulnerabilities (needs the network)
# make sbom       write build/sbom.cdx.json, the bill of materials of what is served

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade
PARALLEL ?= auto
AUDIT := $(VENV)-audit
SBOM := build/sbom.cdx.json
BENCH_VENV := .venv-bench
BENCH_INSTALL := $(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check
BENCH ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve test check pictures load bench bench-population lock audit sbom clean

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

pictures: $(VENV)/.test-ready
	$(BIN)/python -m tests.readme_pictures

load: $(VENV)/.test-ready
	$(BIN)/python -m tests.load

bench: $(BENCH_VENV)/.ready
	$(BENCH_VENV)/bin/python -m tests.bench $(BENCH)

bench-population: $(BENCH_VENV)/.ready
	$(BENCH_VENV)/bin/python -m tests.bench.population $(BENCH)

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or later is needed; try: make PYTHON=python3.12'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.serve-ready: $(VENV)/.python .requirements.lock .requirements-build.lock pyproject.toml
	$(INSTALL) --require-hashes -r .requirements.lock -r .requirements-build.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q cards service
	touch $@

$(VENV)/.test-ready: $(VENV)/.serve-ready .requirements-test.lock
	$(INSTALL) --require-hashes -r .requirements-test.lock
	touch $@

$(BENCH_VENV)/.ready: .requirements-bench.lock .requirements-build.lock pyproject.toml
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_INSTALL) --require-hashes -r .requirements-bench.lock -r .requirements-build.lock
	$(BENCH_INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

lock:
	$(LOCK) pyproject.toml --output-file .requirements.lock
	$(LOCK) pyproject.toml --extra test --constraint .requirements.lock \
		--output-file .requirements-test.lock
	$(LOCK) pyproject.toml --extra bench --constraint .requirements.lock \
		--output-file .requirements-bench.lock
	echo setuptools | $(LOCK) - --output-file .requirements-build.lock
	printf 'pip-audit\ncyclonedx-bom\n' | $(LOCK) - --output-file .requirements-audit.lock

# The tools of both have a virtual environment of their own: what is served is not changed by them.
$(AUDIT)/.ready: .requirements-audit.lock
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r .requirements-audit.lock
	touch $@

audit: $(AUDIT)/.ready
	$(AUDIT)/bin/pip-audit --disable-pip --require-hashes \
		-r .requirements.lock -r .requirements-build.lock

sbom: $(AUDIT)/.ready
	mkdir -p $(dir $(SBOM))
	$(AUDIT)/bin/cyclonedx-py requirements .requirements.lock --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file $(SBOM)

clean:
	rm -rf $(VENV) $(AUDIT) $(BENCH_VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
