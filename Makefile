# The front door: `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Any Python from 3.11 on; `make PYTHON=python3.13 test` uses another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo demo-airflow test test-newest check format lab-test lab-up lab-down lab-status bench requirements clean

help: ## List what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or later is needed, and none was found"; exit 1; }
	@tools/need-debian-package python3-venv "$(PYTHON)" -c 'import ensurepip, venv'
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)

# What is installed is remembered in a stamp, so that a second call is quick.
$(VENV)/.core: requirements/core.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing the core, pinned by hash ..."
	@$(INSTALL) --require-hashes -r requirements/core.txt -r requirements/build.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.core
	@echo "Installing what the tests need, pinned by hash ..."
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.airflow: requirements/airflow.txt $(VENV)/.core
	@echo "Installing Airflow, pinned by hash ..."
	@$(INSTALL) --require-hashes -r requirements/airflow.txt
	@touch $@

demo: $(VENV)/.core ## Sweep the simulated example cluster: healthy, with a fault, with a cascade
	@tools/demo $(BIN)/quorate

demo-airflow: $(VENV)/.airflow ## Show the DAG that watches the simulated cluster, in an Airflow in the browser
	@$(BIN)/python tools/demo-airflow

test: $(VENV)/.dev ## Run the tests (all but those that boot machines)
	@tools/need-debian-package openssh-server test -x /usr/sbin/sshd
	@tools/need-debian-package --without-start postgresql bash -c 'compgen -G "/usr/lib/postgresql/*/bin/postgres"'
	@tools/need-debian-package --without-start rabbitmq-server test -x /usr/lib/rabbitmq/bin/rabbitmq-server
	@tools/need-debian-package openssl openssl version
	@tools/need-debian-package --without-start systemd systemd-analyze --version
	@echo "Running the tests ..."
	@$(BIN)/python -m pytest -m "not lab"

test-newest: ## Run the tests on the newest Python that is found
	@tools/test-newest-python "$(PYTHON)" $(MAKE)

lab-test: $(VENV)/.dev ## Boot machines, and the whole cluster with every fault, and run the tests on them (root)
	@$(BIN)/python -m pytest -m lab

lab-up: $(VENV)/.core ## Boot the example cluster for real, 14 machines on this one, and leave it running (root)
	@$(BIN)/python -m lab up

lab-down: $(VENV)/.core ## End that cluster
	@$(BIN)/python -m lab down

lab-status: $(VENV)/.core ## Say how that cluster is: machines, services, faults in place
	@$(BIN)/python -m lab status

check: $(VENV)/.dev ## Format, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## Measure against the ways that people ask hosts today, as ratios in one run
	@tools/need-debian-package openssh-server test -x /usr/sbin/sshd
	@tools/need-debian-package --without-start postgresql bash -c 'compgen -G "/usr/lib/postgresql/*/bin/postgres"'
	@tools/need-debian-package --without-start rabbitmq-server test -x /usr/lib/rabbitmq/bin/rabbitmq-server
	@tools/need-debian-package openssl openssl version
	@$(BIN)/python -m benchmarks

requirements: ## Compile the pinned requirements anew (needs uv)
	@tools/compile-requirements

clean: ## Remove what the other targets made
	@rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .airflow-demo
