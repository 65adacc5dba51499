# Two commands: `make demo` and `make test`. Both set up .venv first; nothing else is installed by hand.
PYTHON ?= python3
OUT ?= results/demo
BIN := .venv/bin
MODELS := vssflow reference codec shuffled shifted noise silence

.PHONY: install weights demo bench test lint clean

install: .venv/installed

.venv/installed: pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'vsseval needs Python 3.11 or newer')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

weights: install
	$(BIN)/vsseval weights pull demo

demo: weights
	$(BIN)/vsseval run $(MODELS:%=--model %) --bench demo-sound --out $(OUT)
	$(BIN)/vsseval run $(MODELS:%=--model %) --bench demo-speech --out $(OUT)
	$(BIN)/vsseval report $(OUT) --out $(OUT)/report.md $(if $(filter results/demo,$(OUT)),--into README.md)

# A core type or cache size that is set by hand is not what numpy runs with elsewhere.
bench: install
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/vsseval bench --out results/speed.md

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint weights
	$(BIN)/pytest

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache build
