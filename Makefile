# make demo | lab | test | test-kernels | bench | lint | clean
#
# Everything lives in .venv. A stamp file there says what was installed, so that a
# second call installs nothing. PYTHON=/path/to/python chooses the interpreter.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
NOTEBOOK := examples/01_first_model.ipynb
KERNELS := 6.31 7.3 7.4
WORKERS ?= 2

FRONTEND := nbkeras/widgets/frontend
BUNDLE := nbkeras/widgets/static/.built
NODE_STAMP := $(FRONTEND)/node_modules/.installed
FRONTEND_SOURCES := $(shell find $(FRONTEND) -name node_modules -prune -o -type f -print 2>/dev/null)
HAVE_NPM := $(shell command -v npm 2>/dev/null)

# TensorFlow has wheels for these.
FIND_PYTHON = for python in python3 python3.13 python3.12 python3.11 python3.10 python; do \
    "$$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null \
      && { echo "$$python"; break; }; done || true
PYTHON ?= $(shell $(FIND_PYTHON))

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help demo lab test test-python test-slow test-js test-browser test-kernels bench lint style types imports wheel clean

help:
	@echo 'make demo          run $(NOTEBOOK) without a screen; results in build/'
	@echo 'make lab           open JupyterLab on the same notebook'
	@echo 'make test          lint, types, import rules, TypeScript, Python, browser'
	@echo 'make test-slow     the matrices that take minutes: CI runs them once'
	@echo 'make test-kernels  the kernel tests on ipykernel $(KERNELS)'
	@echo 'make bench         nbkeras beside its peers, in one run'
	@echo 'make lint          ruff, mypy and import-linter only'
	@echo 'make wheel         wheel and sdist in dist/'
	@echo 'make clean         remove .venv and everything built'

# ---------------------------------------------------------------- environments

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'nbkeras needs Python 3.10 to 3.13: install one, or call make PYTHON=/path/to/python.'; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv $(VENV) || { echo 'Could not make $(VENV): on Debian and Ubuntu, install python3-venv.'; exit 1; }

# Editable, so that sources are used as they are; installed again when what it needs changes.
$(VENV)/.installed-%: pyproject.toml | $(BIN)/python $(BUNDLE)
	@echo 'Installing nbkeras[$*] into $(VENV) (the first time, this takes some minutes).'
	@$(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@

ifdef HAVE_NPM
$(NODE_STAMP): $(FRONTEND)/package-lock.json
	@echo 'Installing what the front-end needs.'
	@cd $(FRONTEND) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(BUNDLE): $(NODE_STAMP) $(FRONTEND_SOURCES)
	@cd $(FRONTEND) && npm run --silent build
	@touch $@
else
$(BUNDLE):
	@echo 'Node.js (npm) was not found: views will be text and HTML.'
endif

# ---------------------------------------------------------------- use

demo: $(VENV)/.installed-lab
	@$(BIN)/python examples/run_notebook.py $(NOTEBOOK) --at-least accuracy=0.96

# Jupyter refuses to be run by root, as in a container, unless it is told to.
lab: $(VENV)/.installed-lab
	@$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(NOTEBOOK)

# ---------------------------------------------------------------- tests

test: lint test-js test-python test-browser

test-python: $(VENV)/.installed-test
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal --ignore=tests/browser

test-slow: $(VENV)/.installed-test
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal --ignore=tests/browser -m slow

ifdef HAVE_NPM
test-js: $(BUNDLE)
	cd $(FRONTEND) && npm run --silent check && npm test --silent
else
test-js:
	@echo 'Node.js (npm) was not found: the TypeScript tests are skipped.'
endif

test-browser: $(VENV)/.installed-test
	$(BIN)/pytest -q tests/browser

# Each ipykernel lies in a folder of its own that shadows the one in .venv.
test-kernels: $(KERNELS:%=test-kernel-%)

test-kernel-%: export PYTHONPATH = $(CURDIR)/$(VENV)/.ipykernel-$*
test-kernel-%: $(VENV)/.ipykernel-%/.installed $(VENV)/.installed-test
	@$(BIN)/python -c 'import ipykernel; print("ipykernel", ipykernel.__version__)'
	$(BIN)/pytest -q -m kernel tests/kernel tests/test_examples.py

$(VENV)/.ipykernel-%/.installed: $(VENV)/.installed-test
	@$(BIN)/python -m pip install --quiet --no-deps --target $(@D) 'ipykernel==$*.*' nest-asyncio
	@touch $@

.PRECIOUS: $(VENV)/.ipykernel-%/.installed

# Three targets, so that make --keep-going tells all that is wrong.
lint: style types imports

style: $(VENV)/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-test
	$(BIN)/mypy

imports: $(VENV)/.installed-test
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.installed-bench
	$(BIN)/python -m tests.benchmarks

wheel: $(VENV)/.installed-test
	NBKERAS_REQUIRE_FRONTEND=1 $(BIN)/python -m build

clean:
	rm -rf $(VENV) build dist nbkeras/widgets/static $(FRONTEND)/node_modules
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
