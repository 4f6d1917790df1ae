# make demo   set up, and separate a bundled recording
# make test   set up, and run the tests; make slow runs those that take long
# make test slow coverage COVERAGE=1   run all, and count the lines that ran
# make lint types docs generated examples
# make release   build the packages into dist/, and check them; publishes nothing

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DEMO   := chopin_op28_4
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal
COUNT  := --cov --cov-report= --cov-fail-under=0

.PHONY: demo test slow coverage lint types docs generated examples release \
	clean

demo: $(VENV)/.demo
	$(BIN)/specnmf separate audio_examples/$(DEMO)/$(DEMO).flac --no-score --by hand -o demo --overwrite
	@echo
	@echo "Open      demo/$(DEMO)/report.html in a browser: it plays all stems;"
	@echo "look at   demo/$(DEMO)/figures/score.png and the others beside it;"
	@echo "listen to demo/$(DEMO)/sources/right.wav and left.wav."
	@echo
	@echo "Next: docs/tutorial.md. Or your own recording, without or with a score:"
	@echo "    source $(BIN)/activate"
	@echo "    specnmf separate song.wav"
	@echo "    specnmf separate song.wav --score song.mid"

test: $(VENV)/.dev
	$(PYTEST) -m "not slow" $(if $(COVERAGE),$(COUNT))

slow: $(VENV)/.dev
	$(PYTEST) -m slow $(if $(COVERAGE),$(COUNT) --cov-append)

# Adds the kernels, of which no line counts while it is compiled.
coverage: $(VENV)/.dev
	NUMBA_DISABLE_JIT=1 $(PYTEST) -m kernels $(COUNT) --cov-append
	$(BIN)/coverage report

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

# The site, in docs/_build/html: warnings are errors.
docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -b html -d docs/_build/doctrees -n -W --keep-going docs docs/_build/html

# What the repository holds but a program writes.
generated: $(VENV)/.dev
	$(BIN)/python docs/make_cli.py
	$(BIN)/python docs/make_schemas.py
	$(BIN)/python docs/make_figure.py
	$(BIN)/python docs/make_screenshot.py

examples: $(VENV)/.dev
	$(BIN)/python audio_examples/make.py

# The wheel goes into an environment of its own, and does its job outside the clone.
release: $(VENV)/.dev
	rm -rf dist build/release
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(PYTHON) -m venv build/release/venv
	build/release/venv/bin/python -m pip install --quiet dist/*.whl
	cp audio_examples/drums/drums.flac build/release
	cd build/release && venv/bin/specnmf decompose drums.flac -k 3
	build/release/venv/bin/python -m pip check
	rm -rf build/release

clean:
	rm -rf $(VENV) demo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "specnmf needs Python 3.11 or newer; name one: make PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# basic-pitch for its tests: without --no-deps comes TensorFlow.
$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps basic-pitch
	touch $@ $(VENV)/.demo
