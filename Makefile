# Two commands: `make quickstart` and `make test`. Both set up everything in .venv first.
PYTHON ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

.PHONY: quickstart test lint types layers tests slow clean

quickstart: $(VENV)/.installed
	$(BIN)/hftoolkit finetune quickstart --overwrite
	@echo
	$(BIN)/hftoolkit translate --model runs/quickstart "Where is the library?"
	@echo
	@echo "report: runs/quickstart/report.html (and report.md, report.json beside it)"

test: lint types layers tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

layers: $(VENV)/.installed-dev
	$(BIN)/lint-imports

tests: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2 --dist loadfile

# Real data and models: HFTOOLKIT_SHARED names the folder that holds data/ and models/.
slow: $(VENV)/.installed-dev
	$(BIN)/pytest -m slow

clean:
	rm -rf $(VENV) build dist runs

# torch comes first, by its pinned version alone: a plain `pip install torch` may fetch a newer build with gigabytes of CUDA.
$(VENV)/.torch: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep '^torch==' constraints.txt)
	@touch $@

$(VENV)/.installed: $(VENV)/.torch pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.torch pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.installed
