# Feedlane: `make demo` shows it, `make up` starts it, `make test` tests it. `make help` lists the rest.

.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
INSTANCE ?= up
RUNTIME ?= python3.13
ARCHITECTURE ?= arm64
SCHEDULES ?= 200
SEEDS ?= 200
SEED ?= 1
CALLBACKS ?= 40
TESTS ?= tests
# Also when run from an activated environment of something else.
unexport PYTHONPATH PYTHONHOME

.PHONY: help setup demo up down status test lint format bench chaos scale races outbox callbacks webhooks build deploy lock clean

help: ## What there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## Install what everything else needs, into .venv
	@local/setup.sh

demo: setup ## Show the main job on real input, end to end
	@$(BIN)/python -m local.demo

up: setup ## Start the local system and leave it running (EMPTY=1: as a new deployment is)
	@$(BIN)/python -m local up --instance $(INSTANCE) $(if $(filter-out 0 no,$(EMPTY)),--empty)

down: setup ## Stop the local system
	@$(BIN)/python -m local down --instance $(INSTANCE)

status: setup ## Say which parts of the local system run
	@$(BIN)/python -m local status --instance $(INSTANCE)

test: setup ## Run every test (TESTS=tests/unit: only those)
	@$(BIN)/python -m pytest $(TESTS)

lint: setup ## Check style, types and the template
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cfn-lint
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(BIN)/sam validate --lint

format: setup ## Put the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Measure, into build/bench.json (ONLY=drain: one of compute calls latency drain cost)
	@$(BIN)/python -m tests.benchmarks $(addprefix --only ,$(ONLY))

chaos: setup ## Prove the invariants under random faults, into build/chaos.json
	@$(BIN)/python -m tests.chaos --schedules $(SCHEDULES) --seed $(SEED)

scale: setup ## 100 feeds, 100,000 transactions, 5% of functions killed, into build/scale.json
	@$(BIN)/python -m tests.chaos.scale --seed $(SEED)

races: setup ## Prove that no race and no crash loses a token, into build/races.json (SEEDS=200 SEED=1)
	@$(BIN)/python -m tests.races --seeds $(SEEDS) --seed $(SEED)

outbox: setup ## Crash everywhere between a change and its webhook, into build/outbox.json
	@$(BIN)/python -m tests.chaos.outbox --schedules $(SCHEDULES) --seed $(SEED)

callbacks: setup ## Forty customers come back from Xero at once, to 25 places: needs an idle machine for five minutes
	@CALLBACKS=$(CALLBACKS) $(BIN)/python -m pytest tests/stack/test_connection_limit.py

webhooks: setup ## 10,000 events to 20 consumers of which 5 fail or hang, into build/webhooks.json
	@$(BIN)/python -m tests.benchmarks.webhooks

build: setup ## Build for AWS (RUNTIME=python3.13 ARCHITECTURE=arm64)
	PATH="$(CURDIR)/$(BIN):$$PATH" FEEDLANE_PYTHON="$(CURDIR)/$(BIN)/python" LAYER_CACHE="$(CURDIR)/build/layer-cache" \
	RUNTIME=$(RUNTIME) ARCHITECTURE=$(ARCHITECTURE) SAM_CLI_TELEMETRY=0 \
	$(BIN)/sam build --parameter-overrides PythonRuntime=$(RUNTIME) Architecture=$(ARCHITECTURE)

deploy: build ## Deploy to AWS with your own credentials (the first time: GUIDED=1)
	SAM_CLI_TELEMETRY=0 $(BIN)/sam deploy $(if $(GUIDED),--guided,) \
	--parameter-overrides PythonRuntime=$(RUNTIME) Architecture=$(ARCHITECTURE) $(PARAMETERS)

lock: setup ## Pin all packages again, at their newest versions that fit together
	requirements/lock.sh

clean: ## Remove what was built; `make down` first
	rm -rf build .aws-sam
