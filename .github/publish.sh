#!/usr/bin/env bash
# Makes html/ from the committed results: the answer, and asv's own sites below it.
set -euo pipefail
cd "$(dirname "$0")/.."
make .venv/installed
.venv/bin/python -m fixwatch publish
