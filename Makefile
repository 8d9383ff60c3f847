PY    ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV  ?= .venv
BIN   := $(VENV)/bin
MODEL ?= vehicle_insurance
UNITS ?= 8000
SEED  ?= 7
SIMULATED := vehicle_insurance bankruptcy_wages benefit_crosscheck judicial_auction \
  fuel_oil_tax false_litigation elder_care

export MLFLOW_DISABLE_TELEMETRY := true
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
export UV_COMPILE_BYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all spark check format browser messages pictures bench clean

help: ## show what can be made
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## create .venv and install the pinned packages

demo: $(VENV)/.ready ## simulate records, run the flow, print the list (MODEL=name)
	@$(BIN)/leadline demo $(MODEL) --units $(UNITS) --seed $(SEED)

test: check browser ## lint, type-check and run all tests
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not longer and not spark"

test-all: check browser ## as test, and every model through the whole pipeline
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not spark"

spark: $(VENV)/.ready ## install PySpark and compare the engines, model by model (needs Java 17)
	@$(BIN)/python -m uv pip install -q --python $(BIN)/python "pyspark[connect]>=4,<4.1" || \
	  $(BIN)/python -m pip install -q "pyspark[connect]>=4,<4.1"
	@$(BIN)/python -m pytest -q -m spark tests/spark tests/features/linkage/test_spark.py

check: $(VENV)/.ready ## lint, formatting, types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.ready ## rewrite formatting and fixable lint
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

browser: ## Chromium for the tests of the pages, where it is missing (Debian, as root)
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  echo "Installing chromium and Chinese fonts" && apt-get -qq update >/dev/null && \
	  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium fonts-noto-cjk gettext >/dev/null; } || \
	  echo "No chromium: the tests in a browser are skipped (apt-get install chromium)"

messages: $(VENV)/.ready ## collect and compile the console's texts (needs gettext)
	@cd serving && ../$(BIN)/python -m serving makemessages -l zh_Hans --no-location --no-wrap --no-obsolete && \
	  ../$(BIN)/python -m serving compilemessages -l zh_Hans

pictures: $(VENV)/.ready ## screenshots of the console for the README (needs chromium)
	@$(BIN)/python -m benchmarks.pictures

bench: $(VENV)/.ready ## slow measurements, written to docs/evaluation
	@for model in $(SIMULATED); do $(BIN)/python -m benchmarks.scenario $$model; done
	@$(BIN)/python -m benchmarks.illegal_fundraising
	@$(BIN)/python -m benchmarks.linkage --scale
	@$(BIN)/python -m benchmarks.rings
	@$(BIN)/python -m benchmarks.detection
	@$(BIN)/python -m benchmarks.real_scores --out var/real_scores
	@$(BIN)/python -m benchmarks.scale
	@$(BIN)/python -m benchmarks.explanations
	@$(BIN)/python -m benchmarks.classes
	@for rows in 5000 20000 1000000; do $(BIN)/python -m benchmarks.performance --section features --rows $$rows; done

clean: ## remove what runs have left (store, runs, work files)
	rm -rf var mlruns/mlflow.db mlruns/artifacts

# The lock file carries hashes, so pip and uv refuse a package that differs from it.
$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Leadline needs Python 3.11 or newer; found $$($(PY) --version). Set PY=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute)"
	@$(PY) -m venv $(VENV)
	@if $(BIN)/python -m pip install -q uv 2>/dev/null; then \
	  $(BIN)/uv pip install -q --python $(BIN)/python -r requirements.lock && \
	  $(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e . ; \
	else \
	  $(BIN)/python -m pip install -q -r requirements.lock && \
	  $(BIN)/python -m pip install -q --no-deps -e . ; \
	fi
	@touch $@
