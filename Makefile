# Everything a person or CI does with this repository; `make help` lists it.
# Extra arguments go through ARGS: `make run ARGS="--port 9000"`, `make test ARGS=tests/dsl`.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
# After an interrupted install there must be no stamp, or the next `make` would believe it complete.
.DELETE_ON_ERROR:

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links --no-annotate

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: .venv/.run ## Start Cronny in this terminal: Temporal, API, worker and demo (flags: ARGS=)
	@exec $(BIN)/cronny up $(ARGS)

.PHONY: seed
seed: .venv/.run ## Load the demo again into a running Cronny
	@$(BIN)/cronny seed $(ARGS)

.PHONY: test
test: .venv/.dev servers ## Run the tests (some of them: ARGS=tests/dsl)
	@$(BIN)/python -m pytest -v $(ARGS)

.PHONY: test-chaos
test-chaos: .venv/.dev servers ## Kill processes under load, in the long form (a quarter of an hour)
	@CRONNY_TEST_CHAOS=long $(BIN)/python -m pytest -v tests/chaos $(ARGS)

.PHONY: servers
servers: .venv/.dev ## Install the servers that tests start, where they are missing
	@tools/servers.sh

.PHONY: check
check: .venv/.dev ## Check format, lint, types, import contracts, shape and generated docs
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest tests/test_shape.py tests/docs

.PHONY: format
format: .venv/.dev ## Format the code and fix what ruff can fix
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

.PHONY: docs
docs: .venv/.dev ## Write the generated docs again
	@$(BIN)/python -m tools.docs

.PHONY: bench
bench: .venv/.dev servers ## Measure punctuality and throughput
	@$(BIN)/python -m bench $(ARGS)

.PHONY: lock
lock: ## Resolve the dependencies again (needs uv; ARGS=--upgrade for newer ones)
	@$(COMPILE) $(ARGS) --output-file requirements.lock pyproject.toml >/dev/null
	@$(COMPILE) $(ARGS) --extra dev -c requirements.lock --output-file requirements-dev.lock pyproject.toml >/dev/null

.PHONY: clean
clean: ## Remove the environment and every cache; data folders stay
	@rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.run: requirements.lock pyproject.toml tools/environment.sh
	@tools/environment.sh .venv requirements.lock
	@touch $@

.venv/.dev: requirements-dev.lock requirements.lock pyproject.toml tools/environment.sh
	@tools/environment.sh .venv requirements-dev.lock
	@touch .venv/.run $@
