#!/usr/bin/env bash
# Makes html/ from the committed results; fixwatch's pages cover every history, asv's numba-cuda's.
set -euo pipefail
cd "$(dirname "$0")/.."
make .venv/installed
.venv/bin/python -c 'from fixwatch.asv_adapter.site_assets import install_site_assets as i; i(print)'
.venv/bin/asv --config asv.numba-cuda.conf.json publish
