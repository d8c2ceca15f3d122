# Two commands do everything: `make lap` and `make test`. Each does the set-up it needs by itself.
SHELL := /bin/bash
PYTHON := /usr/bin/python3
EXTRAS ?=
TESTS ?=
ALL_EXTRAS := tf,torch,onnx,openvino,batch,video,dev

.PHONY: help setup models lap test lint format bench clean

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup:  ## set-up alone; EXTRAS=tf,dev adds frameworks
	@$(PYTHON) -m harness.setup --extras "$(EXTRAS)"

models:  ## set-up without a simulator, to measure models on a board (docs/guides/board.md)
	@$(PYTHON) -m harness.setup --models-only --extras "$(EXTRAS)"

lap: setup  ## set-up, a real lap of the default model, its report
	@. ./env.sh && harness lap

test:  ## set-up with all extras, lint, all tests (a real Gazebo among them); TESTS=... for some
	@$(PYTHON) -m harness.setup --extras $(ALL_EXTRAS)
	@. ./env.sh && $(MAKE) --no-print-directory _lint && python -m pytest $(or $(TESTS),tests)

lint:  ## ruff, mypy strict, clang-format
	@$(PYTHON) -m harness.setup --extras $(ALL_EXTRAS)
	@. ./env.sh && $(MAKE) --no-print-directory _lint

.PHONY: _lint
_lint:
	ruff check .
	ruff format --check .
	mypy
	clang-format --dry-run --Werror $$(find ros_ws/src -name '*.cpp' -o -name '*.hpp')

format:  ## ruff and clang-format, in place
	@. ./env.sh && ruff check --fix . && ruff format . && \
	clang-format -i $$(find ros_ws/src -name '*.cpp' -o -name '*.hpp')

bench:  ## the figures the project promises; FULL=1 for the long rows
	@$(PYTHON) -m harness.setup --extras batch
	@. ./env.sh && python -m harness.study.bench $(if $(FULL),--full)

clean:  ## forget this clone's set-up (the cache stays)
	rm -rf .pitwall .mypy_cache .ruff_cache .pytest_cache
