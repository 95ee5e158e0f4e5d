# `make help` lists the targets. Everything happens in .venv; nothing outside this folder is changed, except that
# `make demo` and `make test` install MariaDB's programs with apt-get where no server can be found and root asks for it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
ARGS ?=
# Test processes, each with servers of its own; one process where servers are given, which tests would share.
JOBS ?= $(if $(MIGRATOR_TEST_MYSQL_URL)$(MIGRATOR_TEST_MONGODB_URL),0,4)

# Tests and measurements start many processes: none should compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test test-mongodb test-lowest test-newest lint format bench soak clean
.DELETE_ON_ERROR:

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  ARGS passes arguments on: make test ARGS='tests/shop -k orders'"
	@echo "  JOBS=0 runs tests in one process, as a debugger needs it"

install: $(READY) ## Virtual environment in .venv with migrator and the tools to work on it

demo: $(READY) ## A sample shop from MySQL to MongoDB, step by step, on throwaway servers
	@$(BIN)/python -m examples.demo $(ARGS)

test: $(READY) ## All tests, on throwaway servers or on yours (docs/development.md)
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

test-mongodb: export MIGRATOR_TEST_REQUIRE_MONGODB := 1
test-mongodb: test ## All tests, on MongoDB only: a mongod in the PATH, Docker or MIGRATOR_TEST_MONGODB_URL

test-lowest: $(READY) ## The quick tests with the lowest versions that pyproject.toml allows, in .venv-lowest
	@$(call quick-tests,$(VENV)-lowest,lowest-direct)

test-newest: $(READY) ## The quick tests with the newest versions that pyproject.toml allows, in .venv-newest
	@$(call quick-tests,$(VENV)-newest,highest)

# In the environment $(1), brought up to date by the resolution strategy $(2) of uv.
define quick-tests
set -e; $(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(1); \
$(BIN)/uv pip install --quiet --upgrade --resolution $(2) --python $(1)/bin/python -e '.[dev]'; \
$(1)/bin/python -m pytest -n $(JOBS) --dist worksteal -m 'not slow' $(ARGS)
endef

lint: $(READY) ## Style, format, imports and types; changes nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy -p migrator -p dev -p examples

format: $(READY) ## Formats the code and fixes what can be fixed safely
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(READY) ## Measurements on throwaway servers or on yours (benchmarks/)
	@$(BIN)/python -m dev.servers run -- $(abspath $(BIN))/python -m benchmarks $(ARGS)

soak: $(READY) ## Random histories with a sync that is killed, for half an hour (tests/histories/soak.py)
	@$(BIN)/python -m dev.servers run -- $(abspath $(BIN))/python -m tests.histories.soak $(ARGS)

clean: ## Removes everything that these targets made
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-newest .servers .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist demo-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "migrator needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "installing into $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet -e '.[dev]'
	@touch $@
