# One target a chore. `make demo` and `make test` do everything from a fresh clone: they need git, make and Python 3.10–3.13.
# Paths are relative on purpose: the clone may lie below folders with spaces or any other characters.

PY := .venv/bin/python
IP := 127.0.0.1
# Several processes share the cores, so each computes with one thread: threads that wait for one another on a busy
# machine cost more than they bring.
PYTEST = OMP_NUM_THREADS=1 GANFORGE_CHROMIUM="$$(sh scripts/browser.sh)" $(PY) -m pytest --numprocesses=auto --maxprocesses=4

.PHONY: help demo test test-slow test-wheel check lint types imports format build docs lab notebook lessons bench bench-collapse clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1@/p' Makefile | while IFS=@ read -r name about; do printf '%-11s %s\n' "$$name" "$$about"; done

demo: .venv/package.stamp  ## draw avatars, train on them for two minutes, show the page
	$(PY) -m ganforge demo

test: .venv/dev.stamp .venv/browser.stamp  ## the default tier: CPU, offline
	$(PYTEST)

test-slow: .venv/dev.stamp .venv/browser.stamp  ## what takes minutes
	$(PYTEST) -m slow

test-wheel: .venv/dev.stamp  ## build wheel and sdist, look into them, run what was built
	$(PY) -m pytest tests/test_setup.py -m slow

check: lint types imports test  ## all that a change must pass

lint: .venv/dev.stamp  ## ruff: rules and format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: .venv/dev.stamp  ## mypy, strict for src
	$(PY) -m mypy

imports: .venv/dev.stamp  ## the house's layers
	.venv/bin/python .venv/bin/lint-imports --no-logo

format: .venv/dev.stamp  ## put the code into its format
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

build: .venv/dev.stamp  ## wheel and sdist into dist/
	$(PY) -m build

docs: .venv/dev.stamp  ## run the snippets of README and docs/, follow their links
	$(PYTEST) tests/test_docs.py

lab: .venv/notebook.stamp  ## open the notebooks in Jupyter, on port 8888
	$(PY) -m jupyterlab --ip=$(IP) --port=8888 --no-browser --allow-root --notebook-dir=examples

notebook: .venv/dev.stamp  ## write and execute examples/dcgan_tutorial.ipynb
	$(PY) scripts/notebook.py

lessons: .venv/dev.stamp  ## play all lessons and write docs/lessons anew
	$(PY) scripts/lessons.py

bench: .venv/dev.stamp  ## measure; results go into bench/RESULTS.md
	$(PY) bench/training.py

bench-collapse: .venv/dev.stamp  ## mode collapse in the plane, half an hour on two cores; goes on where it stopped
	$(PY) bench/collapse.py

clean:  ## forget the environment and everything built
	rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/package.stamp: pyproject.toml scripts/setup.sh
	sh scripts/setup.sh package
	@touch $@

.venv/dev.stamp: .venv/package.stamp
	sh scripts/setup.sh dev
	@touch $@

.venv/notebook.stamp: .venv/package.stamp
	sh scripts/setup.sh notebook
	@touch $@

.venv/browser.stamp: .venv/dev.stamp
	sh scripts/setup.sh browser
	@touch $@
