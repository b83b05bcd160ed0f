# One command equals CI: `.ci/run` calls `make test`, and `make test` installs what it lacks.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PACKAGES := exchange keys policies adapters
# Branch coverage of these may not fall below FLOOR percent, each by itself.
FLOOR := 95
GUARDED := keys policies exchange/envelope exchange/ledger exchange/registry exchange/flow
ARGS ?=

.PHONY: help
help: ## show this list
	@echo 'The Exchange: sealed data between departments, by the rules, on the record.'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
	@echo
	@echo '  ARGS="..." is passed on: make demo ARGS="--lang zh --keep", make test ARGS="-k ledger"'

.PHONY: setup
setup: python-packages ## create .venv from requirements.lock; install a JDK and Maven if they lack
	@deploy/system.sh run

.PHONY: python-packages
python-packages:
	@deploy/setup.sh $(VENV)

.PHONY: demo
demo: setup ## the whole story on this machine, with a summary at the end
	@$(BIN)/exchange demo $(ARGS)

.PHONY: up
up: setup ## start the embedded Kafka, the hub and the adapters under your home
	@$(BIN)/exchange up $(ARGS)

.PHONY: test
test: check ## everything CI does: check, then all tests on a real Kafka and a real PostgreSQL
	@deploy/system.sh test
	@$(BIN)/pytest -n 2 --dist loadfile --cov --cov-report= $(ARGS)
ifeq ($(ARGS),)
	@$(BIN)/python -m tests.coverage_floor --percent $(FLOOR) $(GUARDED)
endif

.PHONY: check
check: python-packages lint ## lint, types, house rules, frozen vectors
	@echo '==> mypy' && $(BIN)/mypy
	@echo '==> house rules' && $(BIN)/pytest -q -p no:cacheprovider tests/test_tidy.py tests/test_tidy_catches.py tests/test_documents.py
	@echo '==> vectors' && $(BIN)/python -m tests.envelope.generate_vectors --check

.PHONY: lint
lint: python-packages ## ruff: rules and format
	@echo '==> ruff' && $(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .

.PHONY: format
format: python-packages ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

.PHONY: readme
readme: python-packages ## write the help block of README.md anew
	@$(BIN)/python -m tests.readme

.PHONY: bench
bench: setup ## measure against plain Kafka clients and JWE; writes bench/RESULTS.md
	@$(BIN)/python -m bench $(ARGS)

# Versions already locked stay; `make lock ARGS=--upgrade` moves them. The override is given here and
# not under [tool.uv], where it would also loosen the pin when the lock is installed.
.PHONY: lock
lock: python-packages ## resolve pyproject.toml into requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev --extra bench --universal \
	  --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  --no-emit-find-links --override <(echo 'cbor2>=6.2') --quiet $(ARGS) --output-file requirements.lock
	@sed -n '/^# LOCK/,/^# END/{/^# \(LOCK\|END\)/d;p}' Makefile | cat - requirements.lock \
	  > requirements.lock.new
	@mv requirements.lock.new requirements.lock

# LOCK
# Written by `make lock`: every package of the project and of its `dev` and `bench` extras, fixed by
# version and hash. Install with `--require-hashes --no-deps`: cwt, the oracle of the COSE tests,
# declares cbor2<6, and the Makefile overrides that because the product needs the strict decoding
# options of cbor2 6.2; a resolver that has not read the override would refuse the pair.
# END

.PHONY: clean
clean: ## remove .venv, caches and what builds leave; your home (~/.exchange) stays
	@rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
