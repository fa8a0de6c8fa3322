# bittrue: `make help` lists every target. Needs python3 (>= 3.11) and make, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.dev-installed
BENCH  := $(VENV)/.bench-installed
AUDIO  ?=
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-slow golden golden-write conformance lint format bench-detection bench-false-alarms bench-quality bench-cost bench-dynamics bench-exactness bench-device bench-sweep bench-memory bench-planted bench clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; use: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(BENCH): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	@touch $@

venv: $(STAMP)  ## set up .venv with all that the others need; then: . .venv/bin/activate

# What the demo plays: the user's files, or programme material that the project synthesises itself.
DEMO_AUDIO := $(if $(strip $(AUDIO)),$(AUDIO),demo/music.wav demo/voice.flac)

demo: $(STAMP)  ## the main job on synthesised programmes (AUDIO="a.wav b.flac": on yours)
	@mkdir -p demo
ifeq ($(strip $(AUDIO)),)
	@$(BIN)/bittrue synthesise music demo/music.wav --seconds 20 --rate 44100 --seed 1
	@$(BIN)/bittrue synthesise voice demo/voice.flac --seconds 20 --rate 48000 --seed 2
endif
	$(BIN)/bittrue simulate $(DEMO_AUDIO) --key 5eed5eed5eed5eed --distance 8 --rt60 0.5 --snr 15 --plot demo/demo.png
	$(BIN)/bittrue process $(firstword $(DEMO_AUDIO)) demo/louder.wav --resample --profile smart-speaker --arith both --plot demo/louder.png
	@echo "drawn: demo/demo.png, demo/louder.png"

test: $(STAMP)  ## run the tests (with BITTRUE_DATA=folder, also on real audio)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-slow: $(STAMP)  ## run the long proofs as well
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m ''

golden: $(STAMP)  ## hold every kernel and product against its frozen bits and its reference
	$(BIN)/bittrue check

golden-write: $(STAMP)  ## freeze the bits as they are now (REASON="why they changed")
	@$(BIN)/bittrue freeze --product fixedpoint --product watermark --product mbdp --reason "$$REASON"

conformance: $(STAMP)  ## kernels and products against float64, CMSIS-DSP and Arm's patterns, on one page (BITTRUE_DATA=folder)
	$(BIN)/python -m firmware_model.cli.exactness.conformance_command build/conformance.html

lint: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)  ## let ruff rewrite the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-detection: $(STAMP)  ## marks found in every host, room and noise (BITTRUE_DATA=folder)
	$(BIN)/python -m benchmarks.detection --jobs $(JOBS)

bench-false-alarms: $(STAMP)  ## unmarked audio against many keys (BITTRUE_DATA=folder)
	$(BIN)/python -m benchmarks.false_alarms --jobs $(JOBS)

bench-quality: $(BENCH)  ## ViSQOL, PESQ, clipping (BITTRUE_DATA=folder; compiles pesq)
	$(BIN)/python -m benchmarks.quality --jobs $(JOBS)

bench-cost: $(STAMP)  ## speed, memory, FFT accuracy; on an idle machine
	$(BIN)/python -m benchmarks.cost

bench-exactness: $(STAMP)  ## check, compare and probes: seconds, memory, ratios
	$(BIN)/python -m benchmarks.exactness

bench-planted: $(STAMP)  ## porting mistakes planted in the exported C: what `compare` says of them
	$(BIN)/python -m benchmarks.planted

bench-device: $(STAMP)  ## the exported C on emulated cores and this host: bits, instructions, flash, RAM; on an idle machine
	$(BIN)/python -m benchmarks.device

bench-dynamics: $(STAMP)  ## dynamics processor: accuracy, limits, loudspeaker, cost (BITTRUE_DATA=folder)
	$(BIN)/python -m benchmarks.dynamics --jobs $(JOBS)

bench-sweep: $(STAMP)  ## room-distance sweeps: rows, processes, overhead, memory, against a loop by hand; on an idle machine
	$(BIN)/python -m benchmarks.sweep

bench-memory: $(STAMP)  ## long files: memory and speed of the commands, 1 to 60 minutes (BASE=checkout to compare with)
	$(BIN)/python -m benchmarks.memory $(if $(BASE),--base $(BASE))

bench: bench-cost bench-exactness bench-planted bench-memory bench-sweep bench-device bench-dynamics bench-quality bench-false-alarms bench-detection  ## all of them; their tables go into docs/ and README.md
	$(BIN)/python -m benchmarks.readme

clean:  ## remove the environment and everything built
	rm -rf $(VENV) demo build *.egg-info .pytest_cache .mypy_cache .ruff_cache
