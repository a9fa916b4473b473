PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help hello fmt lint types test cov bench bench-types bench-peers docs reference proto clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# One stamp per set of extras: `make hello` does not wait for the tools of development.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo 'no $(PYTHON): install Python 3.11 or newer, or call: make PYTHON=/path/to/python3.11'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo '$(PYTHON) is older than 3.11; call: make PYTHON=/path/to/python3.11'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.hello: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[hello]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.hello

hello: $(VENV)/.hello ## set up, then run the main job: a semantic search over Python's own documentation
	$(BIN)/jina hello search

fmt: $(VENV)/.dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.dev ## check format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev ## check the types (strict) over jina/
	$(BIN)/mypy

test: $(VENV)/.dev ## set up, then run all tests, two at a time; WORKERS=2
	$(BIN)/pytest -n $(or $(WORKERS),2) --dist worksteal

cov: $(VENV)/.dev ## run all tests and show what they do not reach
	$(BIN)/pytest --cov=jina --cov-report=term-missing:skip-covered

bench: $(VENV)/.dev ## measure requests/s, documents/s and the time to ready
	$(BIN)/python benchmarks/run.py

bench-types: $(VENV)/.dev ## measure the data types, beside their peers where JINA2_PYTHON and DOCARRAY_PYTHON name them
	$(BIN)/python benchmarks/data_types.py

# A run for development: make bench-peers JOBS=http,stream PEERS=ours,mosec ROUNDS=1 SECONDS=1 SCALE=0.01
bench-peers: $(VENV)/.dev ## measure this and its peers side by side; JOBS=, PEERS=, ROUNDS=3, SECONDS=2, SCALE=1
	$(BIN)/python -m benchmarks.peers --jobs '$(JOBS)' --peers '$(PEERS)' --rounds $(or $(ROUNDS),3) --seconds $(or $(SECONDS),2) --scale $(or $(SCALE),1)

docs: $(VENV)/.dev ## run every code block of README and docs
	$(BIN)/pytest tests/test_docs.py

reference: $(VENV)/.dev ## write docs/reference from the docstrings
	$(BIN)/python tools/reference.py

proto: $(VENV)/.dev ## generate what describes the messages of gRPC
	$(BIN)/python -m grpc_tools.protoc -I jina/proto --descriptor_set_out jina/proto/jina.binpb --pyi_out jina/proto jina/proto/jina.proto
	$(BIN)/python -m grpc_tools.protoc -I jina/proto --descriptor_set_out jina/proto/services.binpb jina/proto/health.proto jina/proto/reflection.proto
	$(BIN)/ruff check --quiet --fix-only --unsafe-fixes jina/proto && $(BIN)/ruff format --quiet jina/proto

clean: ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
