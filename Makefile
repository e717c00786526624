# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# One target for each thing that a person does here; `make help` lists them.
# Every target makes what it needs first (system packages, the virtual environment), so each works on a fresh checkout.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := $(CURDIR)/.venv/bin
LIVE := $(CURDIR)/.build/live
LAB := PYTHONPATH=tests $(BIN)/python -m lab

# The checkout itself is what tests and demo run: no copy, no installation.
export PATH := $(BIN):$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(LIVE)

# What to run of the tests, for example `make unit ARGS="-k itinerary"` or `make integration MARK=sample`.
ARGS ?=
MARK ?=
PYTEST = $(BIN)/pytest $(if $(MARK),-m "$(MARK)") $(ARGS)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##### See it work

.PHONY: demo demo-clean
demo: deps ## Move a real application between two real clusters on this machine
	@$(BIN)/python demo/run.py

demo-clean: deps ## Remove what the demo has left
	@$(BIN)/python demo/run.py --clean

##### Everything

.PHONY: test test-all benchmark crash-table peer-velero
test: deps ## Everything that has to be green: form, unit, the fixed sample of integration and the role scenarios on the lab
	@tests/setup/steps.sh lint sanity unit lab-up "integration MARK=sample" molecule

test-all: deps ## The same with all integration tests and a real Velero; goes on where the last run stopped
	@tests/setup/steps.sh lint sanity unit lab-up "integration ARGS=--resume" peer-velero molecule

benchmark: deps lab-up ## Measure: seconds and ratios, reported and not asserted
	@$(BIN)/python tests/benchmarks/run.py

crash-table: deps lab-up ## Play the rows of docs/crash-table.md that are missing
	@PYTHONPATH=tests:$(LIVE) $(BIN)/python -m crash --alone $(ARGS)

peer-velero: deps lab-up ## Build a real Velero and let it restore what a run has left
	@$(LAB) velero
	@$(PYTEST) tests/peers

##### The lab: two clusters on this machine

.PHONY: lab-up lab-down lab-status
lab-up: deps ## Start the two clusters, or say that they run
	@$(LAB) up

lab-down: deps ## Stop the two clusters and remove what they left
	@$(LAB) down

lab-status: deps ## Say what runs
	@$(LAB) status

##### One kind of check

.PHONY: unit integration molecule sanity lint
unit: deps ## Tests without a cluster
	@$(PYTEST) tests/unit

integration: deps ## Tests on the running lab
	@$(PYTEST) tests/integration

molecule: deps ## Role scenarios on the running lab
	@destination=$${MTC_DESTINATION_KUBECONFIG:-$$($(LAB) kubeconfig destination)}; \
	    MTC_DESTINATION_KUBECONFIG=$$destination $(BIN)/molecule test --all

sanity: deps ## ansible-test sanity on a copy of the checkout
	@tests/setup/sanity.sh

lint: deps ## Style, types, layers, documentation, changelog
	@tests/setup/lint.sh

##### Make and clean

.PHONY: deps lock build clean
deps: ## System packages and the virtual environment, once
	@tests/setup/system-packages.sh
	@tests/setup/venv.sh
	@tests/setup/tree.sh live

lock: ## Pin anew what the requirement files pull in
	@tests/setup/lock.sh

build: deps ## The collection's archive, as a user installs it
	@tests/setup/build.sh

clean: ## Remove what checks and builds left; not the lab, not its caches
	@rm -rf .build .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible tests/output
	@rm -f openmig-mtc-*.tar.gz
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
