# The two that a newcomer needs: make demo, make test.
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash

TYPES := echo $(BIN)/mypy; $(BIN)/mypy || exit 1; \
	command -v tsc >/dev/null || { echo "make check needs tsc, which type-checks the page's script. It is in Debian's package node-typescript; 'make system' installs it." >&2; exit 1; }; \
	echo tsc --project jsconfig.json; tsc --project jsconfig.json
PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 4 --no-loadscope-reorder --cov --cov-report=term

.PHONY: install extras dev system demo check lint types test bench bombs fuzz house audit lock docs pictures clean

# The locks are complete, so nothing is looked up beside them: pip would meet a package that has
# extras in a version newer than the locked one, and refuse it for want of a hash.
install: .venv/installed
dev: .venv/installed-dev

# The optional parts: a cluster and a store, the finding of faces, time stamps.
extras: .venv/installed requirements-extras.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-extras.lock

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "footage-pipeline needs Python 3.11 or later; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q pipeline
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	$(BIN)/python -m pip check
	@touch $@

# What the checks and tests need beyond Python: the type checker of the page's script, a mail
# server, the second judge of metadata, a browser.
system:
	@tests/install-system-packages

demo: install
	$(BIN)/footage demo

check: lint types

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	@$(TYPES)

# The system's packages come first: the checks need one of them. The types are checked while the tests
# begin, because mypy uses one processor only; what it says is printed after the tests.
# Modules are compiled before: the process that takes mails apart may write no file beside them, and
# pytest rewrites each module of tests for its asserts, which the first collection does for all workers.
test: export PYTHONDONTWRITEBYTECODE =
test: system lint
	$(BIN)/python -m compileall -q pipeline
	@said=$$(mktemp); trap 'rm -f $$said' EXIT; failed=0; \
	( $(TYPES) ) >$$said 2>&1 & types=$$!; \
	$(BIN)/pytest --collect-only -qq >/dev/null; \
	echo '$(PYTEST)'; $(PYTEST) || failed=1; \
	wait $$types || failed=1; cat $$said; exit $$failed

bench: dev
	$(BIN)/python -m bench

# Mails that are made to cost much: seconds and memory of each.
bombs: dev
	$(BIN)/python -m bench.bombs

# Mutated mails, headers, winmail.dat and archives, MINUTES for each.
MINUTES ?= 30
fuzz: dev
	for target in mails headers winmail archives; do $(BIN)/python -m bench.fuzz_mails $(MINUTES) $$target || exit 1; done

# How large the code is, names used twice, loose types, long parameter lists.
house: dev
	$(BIN)/python -m bench.house --names

# Known faults of the locked packages; docs/dependencies.md says which of them can be reached. It asks
# the database of the Python Package Index, and fails if it can't: no answer is not a good answer.
audit:
	test -x .venv-audit/bin/python || $(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-audit.lock
	failed=0; for lock in requirements-extras.lock requirements-dev.lock; do .venv-audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement $$lock || failed=1; done; exit $$failed

docs: dev
	$(BIN)/python docs/make.py

# Of the report and of a frame of the montage, both from the sample; needs Chromium.
pictures: dev demo
	$(BIN)/python docs/pictures.py demo/work/report
	$(BIN)/python docs/frame.py demo/work/montage/montage-landscape.mp4
	$(BIN)/python docs/captions.py

# Pinned with hashes, for all platforms, and with no address of an index in it.
lock:
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --output-file requirements.lock
	uv pip compile pyproject.toml --group build --all-extras --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --output-file requirements-extras.lock
	uv pip compile pyproject.toml --group build --group dev --all-extras --constraint requirements-extras.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --output-file requirements-dev.lock
	uv pip compile --group audit --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --output-file requirements-audit.lock

clean:
	rm -rf .venv .venv-audit demo .mypy_cache .ruff_cache .pytest_cache .coverage
