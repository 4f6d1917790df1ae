# make demo   set up, and take a bundled recording apart
# make test   set up, and run the tests
# make lint types docs examples
# make transcriber   install what hears notes best where there is no score

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DEMO   := chopin_op28_4

.PHONY: demo test lint types docs examples transcriber clean

demo: $(VENV)/.transcriber
	$(BIN)/specnmf separate audio_examples/$(DEMO)/$(DEMO).flac --no-score --by hand -o demo --overwrite
	@echo
	@echo "Look at   demo/$(DEMO)/figures/score.png and the others beside it;"
	@echo "listen to demo/$(DEMO)/sources/right.wav and left.wav;"
	@echo "read      demo/$(DEMO)/run.json, and open score.mid in an editor."
	@echo
	@echo "Now your own recording, alone or with a score:"
	@echo "    source $(BIN)/activate"
	@echo "    specnmf separate song.wav"
	@echo "    specnmf separate song.wav --score song.mid"

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

# What the repository holds but a program writes.
docs: $(VENV)/.dev
	$(BIN)/python docs/make_cli.py
	$(BIN)/python docs/make_figure.py
	$(BIN)/python docs/make_screenshot.py

examples: $(VENV)/.dev
	$(BIN)/python audio_examples/make.py

transcriber: $(VENV)/.transcriber

clean:
	rm -rf $(VENV) demo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "specnmf needs Python 3.11 or newer; name one: make PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)

# Small beside what specnmf itself needs, so the demo has it too: people go on from
# there with recordings of which they have no score. Without --no-deps comes TensorFlow.
$(VENV)/.transcriber: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[transcribe]'
	$(BIN)/python -m pip install --quiet --no-deps basic-pitch
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps basic-pitch
	touch $@ $(VENV)/.transcriber
