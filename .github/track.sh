#!/usr/bin/env bash
# The job that writes the tracking issue: track.sh FILE [--dry-run]
set -euo pipefail
file=$(realpath "${1:?usage: track.sh FILE [--dry-run]}")
cd "$(dirname "$0")/.."
make .venv/installed
.venv/bin/python -m fixwatch track "$file" "${@:2}"
