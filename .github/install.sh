#!/usr/bin/env bash
# What the jobs of the weekly look and of scans install: a locked set of packages with their hashes,
# the same for years, of which one writes results and issues. `make lock` renews the lock.
set -euo pipefail
cd "$(dirname "$0")/.."
lock=.github/requirements.lock
[ ! .venv/locked -nt "$lock" ] || exit 0
python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --require-hashes --no-deps --only-binary :all: -r "$lock"
touch .venv/locked
