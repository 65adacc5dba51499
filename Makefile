# Two commands: `make demo` and `make test`. Both set up .venv first; nothing else is installed by hand.
PYTHON ?= python3
OUT ?= results/demo
BIN := .venv/bin
JOBS ?= 2
MODELS := vssflow reference codec shuffled shifted noise silence
RUNS := $(foreach model,$(MODELS),$(model)/demo-sound $(model)/demo-speech)

.PHONY: install weights demo test lint clean $(RUNS)

install: .venv/installed

.venv/installed: pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'vsseval needs Python 3.11 or newer')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

weights: install
	$(BIN)/vsseval weights pull demo

demo: weights
	@echo "14 runs, $(JOBS) at a time; each prints its table when it is done"
	OMP_NUM_THREADS=1 $(MAKE) --no-print-directory --jobs=$(JOBS) --output-sync=target $(RUNS)
	$(BIN)/vsseval report $(OUT) --out $(OUT)/report.md $(if $(filter results/demo,$(OUT)),--into README.md)

$(RUNS):
	$(BIN)/vsseval run --model $(@D) --bench $(@F) --out $(OUT)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint weights
	$(BIN)/pytest

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache build
