#!/usr/bin/env bash
# Makes html/ from the committed results; fixwatch's pages cover every history, asv's numba-cuda's.
set -euo pipefail
cd "$(dirname "$0")/.."
make .venv/installed .fixwatch/site-packages/installed
.venv/bin/asv --config asv.numba-cuda.conf.json publish
