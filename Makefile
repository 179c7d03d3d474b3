# Each target makes the virtual environment first if it is missing; only Python >= 3.11 is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test light slow check bench clean
.DEFAULT_GOAL := demo

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tlae needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/.installed ## synthetic footage with known anomalies: train, score, render
	$(BIN)/tlae demo

test: $(VENV)/.installed ## the test suite, without the tests that train for real
	$(BIN)/python -m pytest -m "not slow" -n auto --dist worksteal --durations 20

light: $(VENV)/.installed ## score, render, watch and serve in an environment without torch and pandas
	$(BIN)/python -m pytest -m slow tests/test_light_install.py

slow: $(VENV)/.installed ## the tests that train for real
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.installed ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed ## speed of every stage, as printed in docs/lab/speed.md
	$(BIN)/tlae benchmark speed

clean: ## remove what demo and test leave behind
	rm -rf demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
