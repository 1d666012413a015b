# Feedlane: `make demo` shows it at work, `make up` starts it, `make test` tests it. `make help` lists the rest.

.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
SAM := .venv/sam/bin/sam
INSTANCE ?= up
UPSTREAM ?= xero
CONFIG ?= deployment.toml
RUNTIME ?= python3.13
ARCHITECTURE ?= arm64
SCHEDULES ?= 200
SEEDS ?= 200
SEED ?= 1
UPSTREAM ?= xero
CALLBACKS ?= 40
TESTS ?= tests
# Another project's activated environment must not leak in.
unexport PYTHONPATH PYTHONHOME

.PHONY: help setup demo up open down status test lint format bench chaos scale races outbox callbacks webhooks clients accessibility newcomer pictures build deploy lock audit clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

# What was asked for, for those who are told to ask again with another interpreter.
setup: export GOALS = $(strip $(MAKECMDGOALS) $(filter-out PYTHON=%,$(MAKEOVERRIDES)))
setup: ## Install everything the other targets need into .venv
	@local/setup.sh

demo: setup ## Run the main job end to end on real input (UPSTREAM=codat: through Codat)
	@$(BIN)/python -m local.demo --upstream $(UPSTREAM)

up: setup ## Start the local system and leave it running (EMPTY=1: like a new deployment; UPSTREAM=codat: with Codat; INSTANCE=name: a second one)
	@$(BIN)/python -m local up --instance '$(INSTANCE)' --upstream $(UPSTREAM) $(if $(filter-out 0 no,$(EMPTY)),--empty)

open: setup ## Open the portal of the local system in the browser
	@$(BIN)/python -m local open --instance '$(INSTANCE)'

down: setup ## Stop the local system
	@$(BIN)/python -m local down --instance '$(INSTANCE)'

status: setup ## Show which parts of the local system are running
	@$(BIN)/python -m local status --instance '$(INSTANCE)'

test: setup ## Run every test (TESTS=tests/unit runs only those)
	@$(BIN)/python -m tests $(TESTS)

lint: setup ## Check style, types, imports between wings, the template, pinned packages, and that no secret is tracked
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint
	$(BIN)/python -m checks.pins
	$(BIN)/python -m checks.secrets
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint

format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Run the benchmarks and write build/bench.json (ONLY=drain runs one of compute, calls, codat, batches, slots, lists, pages, latency, alone, drain, cost)
	@$(BIN)/python -m tests.benchmarks $(addprefix --only ,$(ONLY))

chaos: setup ## Prove the invariants under random faults and write build/chaos.json (UPSTREAM=codat: through Codat)
	@$(BIN)/python -m tests.chaos --schedules $(SCHEDULES) --seed $(SEED) --upstream $(UPSTREAM)

scale: setup ## Push 100,000 transactions to 100 feeds, 5% of invocations killed; write build/scale.json
	@$(BIN)/python -m tests.chaos.scale --seed $(SEED)

races: setup ## Prove that no race or crash loses a token and write build/races.json (SEEDS=200 SEED=1)
	@$(BIN)/python -m tests.races --seeds $(SEEDS) --seed $(SEED)

outbox: setup ## Crash at every point between a change and its webhook; write build/outbox.json
	@$(BIN)/python -m tests.chaos.outbox --schedules $(SCHEDULES) --seed $(SEED)

callbacks: setup ## Return 40 customers from Xero at once, for 25 free places (five minutes on an idle machine)
	@CALLBACKS=$(CALLBACKS) $(BIN)/python -m pytest tests/stack/test_connection_limit.py

webhooks: setup ## Send 10,000 events to 20 consumers, 5 of which fail or hang; write build/webhooks.json
	@$(BIN)/python -m tests.benchmarks.webhooks

clients: setup ## Drive the Xero simulator with unmodified xero-node, xero-python and pyxero (needs the network and node)
	@tests/clients/install.sh
	@$(BIN)/python -m tests.clients

accessibility: setup ## Have axe-core look at every page of the browser tests, at every width in both schemes
	@EVERY_VIEW=1 $(BIN)/python -m tests tests/browser

newcomer: setup ## Walk from an empty deployment of its own to a delivered transaction, in a browser
	@OWN_DEPLOYMENT=1 $(BIN)/python -m pytest tests/browser/test_set_up_guide.py -k delivered_transaction

pictures: setup ## Take the pictures in docs/pictures anew (needs Chromium)
	@$(BIN)/python -m tests.browser.pictures

build: setup ## Build for AWS (RUNTIME=python3.13 ARCHITECTURE=arm64)
	PATH="$(CURDIR)/$(BIN):$$PATH" FEEDLANE_PYTHON="$(CURDIR)/$(BIN)/python" LAYER_CACHE="$(CURDIR)/build/layer-cache" \
	RUNTIME=$(RUNTIME) ARCHITECTURE=$(ARCHITECTURE) SAM_CLI_TELEMETRY=0 \
	$(SAM) build --parameter-overrides PythonRuntime=$(RUNTIME) Architecture=$(ARCHITECTURE)

deploy: setup ## Build and deploy what deployment.toml says, with your own credentials (GUIDED=1 the first time)
	@$(BIN)/python -m cli deploy --config $(CONFIG) $(if $(GUIDED),--guided,)

lock: setup ## Pin all packages (UPGRADE=1 takes the newest compatible versions)
	UPGRADE=$(UPGRADE) requirements/lock.sh

audit: setup ## Look up every pinned package in the index's advisories (needs the network)
	requirements/audit.sh

clean: ## Remove all build output; run `make down` first
	rm -rf build .aws-sam
