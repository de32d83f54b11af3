# Everything from a fresh clone. Needs Python >= 3.10, git and make, and a package index.
PYTHON ?= python3
# make dashboard RELEASES=all measures every release instead of a selection.
RELEASES ?= selected
# make dashboard VERBOSE=1 shows what asv prints, else it is in a log.
VERBOSE ?=

VENV := .venv
BIN := $(VENV)/bin
# What asv's pages load; see fixwatch/asv_adapter/site_assets.py.
SITE_PACKAGES := fixwatch/asv_adapter/site_packages

# Another Python than that of the environment makes a new one.
ifeq ($(origin PYTHON),command line)
VERSION := import sys; print("%d.%d" % sys.version_info[:2])
ifneq ($(shell $(PYTHON) -c '$(VERSION)'),$(shell test -x $(BIN)/python && $(BIN)/python -c '$(VERSION)'))
$(shell rm -rf $(VENV))
endif
endif

.PHONY: dashboard test check schemas lock tables sensitivity measure-engine measure-ptx measure-shield calibrate site-packages clean

dashboard: $(VENV)/installed
	$(BIN)/python -m fixwatch dashboard $(if $(filter all,$(RELEASES)),--all) $(if $(VERBOSE),--verbose)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 4 --dist loadscope --no-loadscope-reorder --durations 25

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --persona auditor --quiet .github/workflows

# The JSON schemas in docs/, from the models; a test says if they are not current.
schemas: $(VENV)/installed-dev
	$(BIN)/python -m scripts.write_schemas

# The targets from here to measure-ptx write their tables into docs/measurements.md.

# What the committed results say, there and in README.md; measures nothing.
tables: $(VENV)/installed-dev
	$(BIN)/python -m scripts.tabulate_results

# How well the schedules tell wrong fixes from right ones (8 minutes, most of them waiting).
sensitivity: $(VENV)/installed-dev
	$(BIN)/python -m scripts.sensitivity

# How far stated confidences can be relied on, and what searches cost (7 minutes). A process a core,
# so no threads in each.
calibrate: $(VENV)/installed-dev
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m scripts.calibrate
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m scripts.calibrate_pinpoint
	$(BIN)/python -m scripts.calibrate_check

# What the trial engine finds and costs on seven releases (14 minutes).
measure-engine: $(VENV)/installed-dev
	$(BIN)/python -m scripts.measure_engine

# Which releases compile the workloads for a device, and what such a row costs; it needs none
# (10 minutes).
measure-ptx: $(VENV)/installed-dev
	$(BIN)/python -m scripts.measure_ptx
	$(BIN)/python -m scripts.measure_ptx --cost

# What the shield leaves of the defects in every release, and what a launch costs with it; the tables
# of docs/shield.md (hours).
measure-shield: $(VENV)/installed-dev
	$(BIN)/asv --config asv.shield.conf.json run --skip-existing v0.57..main
	$(BIN)/asv --config asv.shield.conf.json run --skip-existing numba-cuda
	$(BIN)/python -m scripts.tabulate_results
	$(BIN)/python -m scripts.measure_shield

# What the jobs of the weekly look install, with hashes; fixwatch itself runs from the checkout, and
# nothing there imports numba.
lock: $(BIN)/uv
	$(BIN)/uv pip compile --quiet pyproject.toml --output-file .github/requirements.lock --upgrade \
		--generate-hashes --only-binary :all: --no-emit-package numba --no-emit-package llvmlite \
		--python-version 3.11 --python-platform x86_64-manylinux_2_28 \
		--custom-compile-command 'make lock'

# uv installs what pip would, in a fraction of the time.
$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "fixwatch: Python %d.%d is too old, give PYTHON=python3.10 or newer" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/installed: pyproject.toml $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable .
	touch $@

$(VENV)/installed-dev: pyproject.toml $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[dev]'
	touch $@ $(VENV)/installed

# The libraries of asv's pages once more, as package-lock.json has them; npm runs none of their
# scripts.
site-packages:
	npm ci --prefix $(SITE_PACKAGES) --ignore-scripts --no-audit --no-fund
	cd $(SITE_PACKAGES)/node_modules && cp $$(cd ../vendor && find . -type f) --parents ../vendor
	rm -rf $(SITE_PACKAGES)/node_modules

clean:
	rm -rf $(VENV) .fixwatch html
	git clean -qfdX results
