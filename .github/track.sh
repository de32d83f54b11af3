#!/usr/bin/env bash
# The job that writes the tracking issue: track.sh FILE [--dry-run]
set -euo pipefail
file=$(realpath "$1")
cd "$(dirname "$0")/.."
make .venv/installed
.venv/bin/python -m fixwatch track "$file" "${@:2}"
