# Two commands: `make demo` and `make test`. Both set up .venv first; nothing else is installed by hand.
PYTHON ?= python3
OUT ?= results/demo
BIN := .venv/bin
MODELS := vssflow reference codec shuffled shifted noise silence

.PHONY: install weights demo quality bench gate test lint clean

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

# results/demo has seed 0 of the shipped model; two more seeds beside it, in one table.
quality: weights
	for bench in demo-sound demo-speech; do \
		for seed in 1 2; do \
			$(BIN)/vsseval run --model vssflow --bench $$bench --seed $$seed --out results/quality || exit; \
		done; \
	done
	$(BIN)/vsseval report results/demo results/quality --out results/quality/report.md

# A core type or cache size that is set by hand is not what numpy runs with elsewhere.
bench: weights
	$(BIN)/python -m pip install --quiet --editable ".[dev,bench]"
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/vsseval bench --out results/speed.md

# The committed records against this checkout. Status 2 means that the runs do not compare, as when a
# library in a signature moved: said, and no regression.
gate: weights
	rm -rf .cache/gate
	for bench in demo-sound demo-speech; do \
		$(BIN)/vsseval run --model vssflow --bench $$bench --out .cache/gate || exit; \
		$(BIN)/vsseval gate --baseline results/demo/$$bench/vssflow-tiny/*/ \
			--candidate .cache/gate/$$bench/vssflow-tiny/*/ --junit .cache/gate/$$bench.xml \
			|| { status=$$?; [ $$status = 2 ] || exit $$status; }; \
	done

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint weights
	$(BIN)/pytest

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache build
