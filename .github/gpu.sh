#!/usr/bin/env bash
# Runs the reproducer on a real device, in an environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .fixwatch/gpu
.fixwatch/gpu/bin/python -m pip install --quiet numpy 'numba-cuda[cu12]'
.fixwatch/gpu/bin/python -m mwe --target cuda --schedule natural --workload local-array
