# Everything runs from the virtual environment that these targets make.
STACK ?= local
# Processes of the tests. Those with servers wait for half of their time; each wants 2 GiB.
WORKERS ?=
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# Python compiles what it imports; of an SDK that is a small part.
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check --no-compile
JUDGED = $(if $(filter off,$(POLICY)),--no-policy)

LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" ../$(VENV)/bin/uv pip compile --quiet --universal \
  --python-version 3.11 --generate-hashes

# Python up to 3.11.7 fails when two threads format a traceback at once.
PYTEST = PYTHONNODEBUGRANGES=1 $(RUN) -m pytest --dist loadfile --no-loadscope-reorder --max-worker-restart 0

.PHONY: help up pods preview verify report doctor status down unit test test-long lint venv lock check bench release release-notes vulnerabilities
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

up: $(VENV)/ready-up-$(STACK) ## bring STACK (default: local) up on this machine, and verify it with a real Kestra
	@$(RUN) -m sandbox up $(STACK) $(JUDGED)
	@$(RUN) -m sandbox verify $(STACK)

pods: $(VENV)/ready-pods-$(STACK) ## the same with real nodes, whose pods run Kestra (Linux, root; docs/real-pods.md); IMAGE=kestra.tar: your own
	@$(RUN) -m sandbox up $(STACK) --nodes real $(JUDGED) $(if $(IMAGE),--image $(IMAGE))
	@$(RUN) -m sandbox verify $(STACK)
	@echo "The pods: kubectl --kubeconfig .sandbox/services/kubernetes/kubeconfig get pods --all-namespaces"

preview: $(VENV)/ready-preview-$(STACK) ## show what `make up` would do; POLICY=off: not judged by the policy pack
	@$(RUN) -m sandbox preview $(STACK) $(JUDGED)

verify: $(VENV)/ready-up-$(STACK) ## boot a real Kestra with what the Kubernetes API holds, and compare
	@$(RUN) -m sandbox verify $(STACK)

report: $(VENV)/ready-report-$(STACK) ## write the security of STACK as one HTML page
	@$(RUN) -m sandbox report $(STACK)

doctor: $(VENV)/sandbox ## what machine, settings and permissions lack for STACK; OWN=1 asks your own clouds
	@$(RUN) -m sandbox doctor $(STACK) $(if $(OWN),--ask-own)

status: $(VENV)/sandbox ## what runs
	@$(RUN) -m sandbox status

down: $(VENV)/sandbox ## end the servers; PURGE=1 removes the state too
	@$(RUN) -m sandbox down $(if $(PURGE),--purge)

check: $(VENV)/core ## check every stack file
	@$(RUN) -m components check stacks/*.yaml

unit: $(VENV)/dev ## the tests that need nothing but Python (2 min)
	@$(PYTEST) --numprocesses $(or $(WORKERS),2) --tier unit

test: lint ## lint, types, and every kind of behaviour once, with real servers and a real Kestra (12 min, 30 the first time)
	@$(RUN) -m sandbox.tools
	@$(PYTEST) --numprocesses $(or $(WORKERS),3) --tier test

test-long: $(VENV)/dev ## every row of what `make test` samples (2 h); PART=kills: one part of it (tests/tiers.py)
	@$(RUN) -m sandbox.tools
	@$(PYTEST) --numprocesses $(or $(WORKERS),$(if $(filter pods,$(PART)),1,3)) --tier long $(if $(PART),--part $(PART))

bench: $(VENV)/dev ## measure the cost against a floor (20 min); QUICK=1: a minute or two; NAMES="settings growth"
	@$(RUN) -m benchmarks $(if $(QUICK),--quick) $(NAMES)

vulnerabilities: $(VENV)/dev ## known vulnerabilities of all that is pinned, by the OSV database; DATABASE=osv.zip: without a download
	@$(RUN) -m vulnerabilities $(DATABASE)

lint: $(VENV)/dev ## ruff and types
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/basedpyright

release: $(VENV)/dev ## build the release of this commit twice, compare, write it to dist/ (docs/releases.md); UNRELEASED=1: to try
	@$(RUN) -m releasing build $(if $(UNRELEASED),--unreleased)

release-notes: $(VENV)/dev ## write the changelog's section of this version to release-notes.md
	@$(RUN) -m releasing notes --output release-notes.md

venv: $(if $(FOR),venv-for,$(VENV)/program) ## the virtual environment of the program; FOR="aws vault": the SDKs of these alone

.PHONY: venv-for
venv-for: | $(VENV)/bin/pip
	@$(PIP) $(foreach name,$(FOR),-r requirements/$(name).txt)

lock: $(VENV)/dev ## the locked requirements, with hashes, from requirements/*.in; UPGRADE=1: the newest that fit
	@cd requirements && $(LOCK) $(if $(UPGRADE),--upgrade) dev.in --output-file dev.txt
	@cd requirements && for name in core aws azure gcp vault sandbox start; do \
	  $(LOCK) --constraints dev.txt $$name.in --output-file $$name.txt || exit 1; done
	@cd requirements && $(LOCK) --constraints dev.txt all.in --output-file ../requirements.txt
	@cd requirements && $(LOCK) --constraints dev.txt policy.in --output-file ../policy/requirements.txt

# pip comes last: an environment without it was interrupted while it was made.
$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; name one with make PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || \
	  { echo "The venv module is missing (Debian: apt-get install python3-venv)"; rm -rf $(VENV); exit 1; }

$(VENV)/core: requirements/core.txt | $(VENV)/bin/pip
	@echo "Installing the Python packages that every stack needs"
	@$(PIP) -r requirements/core.txt
	@touch $@

$(VENV)/program: requirements.txt | $(VENV)/bin/pip
	@echo "Installing the Python packages of the program"
	@$(PIP) -r requirements.txt
	@touch $@ $(VENV)/core

$(VENV)/sandbox: requirements/sandbox.txt | $(VENV)/bin/pip
	@echo "Installing the Python packages of the sandbox"
	@$(PIP) -r requirements/sandbox.txt
	@touch $@ $(VENV)/core

$(VENV)/start: requirements/start.txt | $(VENV)/bin/pip
	@$(PIP) -r requirements/start.txt
	@touch $@

# Packages, tools and Kestra are installed, built and fetched at the same time, once for a stack.
READY := $(foreach for,report preview up pods,$(VENV)/ready-$(for)-$(STACK))
$(READY): $(VENV)/ready-%-$(STACK): $(wildcard stacks/Pulumi.$(STACK).yaml requirements/*.txt) | $(VENV)/start
	@$(RUN) -m sandbox.prepare $* $(STACK)
	@touch $@

$(VENV)/dev: requirements/dev.txt | $(VENV)/bin/pip
	@echo "Installing the Python packages of the tests"
	@$(PIP) -r requirements/dev.txt
	@touch $@ $(VENV)/core $(VENV)/program $(VENV)/sandbox $(VENV)/start
