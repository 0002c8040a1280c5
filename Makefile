# Everything starts here: `make help`. Only Python 3.11 and make are needed; all else is made below .venv, .venv-compute and .local.

PYTHON ?= python3.11
AIRFLOW_VENV := .venv/.complete
COMPUTE_VENV := .venv-compute/.complete
STANDIN := .local/.standin-made
SAMPLE := .local/.sample-made
SMOLLM2 := .local/smollm2/weights/MLmodel
READY := $(AIRFLOW_VENV) $(COMPUTE_VENV) $(STANDIN) $(SAMPLE)
PIP_FLAGS := -qq --disable-pip-version-check
SOURCES := dags plugins include tests

# The two environments have nothing to do with each other: made side by side, they take the time of the slower one.
MAKEFLAGS += --jobs=2 --no-print-directory
# Marks what is started here, so that `make down` finds it even if make itself was killed.
run up: export FINETUNE_STACK := $(abspath $(or $(FINETUNE_LOCAL),.local))

.DEFAULT_GOAL := help
.PHONY: help setup run up down test conformance fuzz chaos chaos-mutants bench bench-data bench-gate figures lint azureml-local freeze clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 18
	@echo
	@echo "  make run takes DATASET=<Hub id or folder>  SPLIT_PC=<percent>  MODEL=<name>  EPOCHS=<n>  FAIL=<task>"
	@echo "  make chaos takes CASES=<pattern of task.fault.mode>  STACKS=<how many side by side>, make chaos-mutants NAMES=<pattern>  JOBS=<how many>; make lint takes FIX=1"
	@echo "  AIRFLOW_PORT and AZUREML_LOCAL_PORT choose ports (8080 and 8443), PYTHON the interpreter (python3.11)"

run: $(READY) $(SMOLLM2) ## run the fine-tuning Dag once, from nothing to its summary
	@DATASET='$(subst ','\'',$(DATASET))'; \
	.venv/bin/python -m include.launcher run --dataset "$$DATASET" \
		--split-pc '$(SPLIT_PC)' --model '$(MODEL)' --epochs '$(EPOCHS)' --fail '$(FAIL)'

up: $(READY) $(SMOLLM2) ## start Airflow and the local Azure ML and leave them running
	@.venv/bin/python -m include.launcher up

down: ## end everything that run or up started
	@$(PYTHON) -m include.launcher down

test: $(READY) ## run the test suite
	@.venv/bin/python -m pytest --numprocesses=auto --dist=loadscope --no-loadscope-reorder

conformance: $(READY) ## the SDK's own end-to-end tests against the local Azure ML
	@.venv/bin/python -W ignore -m tests.conformance

chaos: $(READY) ## the Dag once for every fault of the table: nothing leaks, doubles or lies
	@.venv/bin/python -m tests.chaos --cases '$(or $(CASES),*)' --stacks '$(or $(STACKS),1)'

chaos-mutants: $(READY) ## some seventy bugs planted in a copy, one at a time: each must be noticed
	@.venv/bin/python -m tests.chaos.mutants --baseline --names '$(or $(NAMES),*)' --jobs '$(or $(JOBS),1)'

bench: $(READY) ## the local Azure ML under load: requests a second, latency, memory, start
	@.venv/bin/python -W ignore -m tests.bench

bench-data: $(READY) ## 5 % of a full-size data set on a line of 100 Mbit/s, ours against plain datasets; needs 8 GB of disk
	@.venv/bin/python -W ignore -m tests.bench.data

bench-gate: $(AIRFLOW_VENV) ## how often the gate promotes by luck, and how often it sees a real gain
	@.venv/bin/python -m tests.bench.gate

fuzz: $(READY) ## 2,000 requests drawn from Azure's published contract: no 5xx, every error in ARM's form
	@.venv/bin/python -W ignore -m tests.fuzz

figures: $(AIRFLOW_VENV) ## the size and shape of the code beside its aims: files, functions, cycles, docstrings
	@.venv/bin/python -m tests.bench.figures

lint: $(AIRFLOW_VENV) ## ruff, mypy --strict, bandit and the import contracts; FIX=1 lets ruff mend and format the code first
ifdef FIX
	@.venv/bin/ruff check --fix-only $(SOURCES) && .venv/bin/ruff format $(SOURCES)
endif
	@.venv/bin/ruff check $(SOURCES) && .venv/bin/ruff format --check $(SOURCES)
	@.venv/bin/bandit -q -c pyproject.toml -r dags plugins include
	@PYTHONPATH=plugins:include .venv/bin/lint-imports --no-cache --no-logo
	@.venv/bin/mypy

# What is made ahead here is not made again on first use.
azureml-local: export AZUREML_LOCAL_HOME ?= $(abspath .local/azureml)
azureml-local: export AZUREML_LOCAL_COMPUTE_PYTHON ?= $(abspath .venv-compute/bin/python)
azureml-local: export AZUREML_LOCAL_STANDIN ?= $(abspath .local/standin)
azureml-local: export AZUREML_LOCAL_SAMPLE ?= $(abspath .local/sample)
azureml-local: export AZUREML_LOCAL_CATALOGUE ?= $(wildcard $(abspath .local/smollm2/catalogue))
azureml-local: $(READY) $(SMOLLM2) ## the local Azure ML alone, in the foreground
	@.venv/bin/azureml-local up

setup: $(READY) $(SMOLLM2) ## make both environments, the stand-in model and the sample data, and no more

freeze: ## write the constraints files anew from the two environments
	@$(call write_constraints,.venv,constraints.txt)
	@$(call write_constraints,.venv-compute,include/azureml_local/worker/constraints.txt)

# The comments at the head of the file stay; "+cpu" goes, for it is the name of one build of torch.
write_constraints = { grep '^\#' $(2); $(1)/bin/pip freeze --all --disable-pip-version-check --exclude-editable | sed -E 's/[+]cpu$$//; /^(pip|setuptools)==/d'; } > $(2).new && mv $(2).new $(2)

clean: down ## remove the environments and all state
	rm -rf .venv .venv-compute .local

# An environment without its mark was cut off half-way: start it again. One that is only older than its list is brought up to date.
define new_environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
		{ echo "$(PYTHON) is no Python 3.11: install Python 3.11, or name one with make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -e $@ || rm -rf $(@D)
	@test -d $(@D) || $(PYTHON) -m venv $(@D)
endef

$(AIRFLOW_VENV): requirements.txt requirements-dev.txt requirements-compose.txt constraints.txt plugins/pyproject.toml include/azureml_local/pyproject.toml
	@echo "Making .venv: Airflow, the Azure ML SDK, the tools (usually 2 to 4 minutes)"
	$(new_environment)
	@.venv/bin/pip install $(PIP_FLAGS) -c constraints.txt -r requirements.txt -r requirements-dev.txt
	@.venv/bin/pip install $(PIP_FLAGS) --no-build-isolation -c constraints.txt --editable include/azureml_local
	@.venv/bin/pip install $(PIP_FLAGS) --no-deps --no-build-isolation --editable plugins
	@touch $@
	@echo "Made .venv"

$(COMPUTE_VENV): include/azureml_local/worker/requirements.txt include/azureml_local/worker/constraints.txt
	@echo "Making .venv-compute: torch, transformers, MLflow (usually 3 to 6 minutes; torch is large)"
	$(new_environment)
	@.venv-compute/bin/pip install $(PIP_FLAGS) torch==2.13.0
	@.venv-compute/bin/pip install $(PIP_FLAGS) -c include/azureml_local/worker/constraints.txt -r include/azureml_local/worker/requirements.txt
	@touch $@
	@echo "Made .venv-compute"

$(STANDIN): $(wildcard include/azureml_local/worker/standin/*.py include/azureml_local/worker/standin/*.txt include/azureml_local/worker/package.py) | $(COMPUTE_VENV)
	@echo "Pre-training the stand-in for the base model (about a minute)"
	@PYTHONPATH=include .venv-compute/bin/python -m azureml_local.worker.standin --out .local/standin
	@touch $@

# Where the index does not have it, the stand-in serves; the program says so, and the next call asks again.
$(SMOLLM2): include/azureml_local/worker/smollm2/model.yaml | $(COMPUTE_VENV)
	@PYTHONPATH=include .venv-compute/bin/python -m azureml_local.worker.smollm2 --out .local/smollm2 || test $$? = 3

$(SAMPLE): $(wildcard include/azureml_local/sample/*.py) | $(AIRFLOW_VENV)
	@echo "Writing the sample conversations (some seconds)"
	@.venv/bin/python -m azureml_local.sample --out .local/sample
	@touch $@
