#!/usr/bin/env bash
# Runs the workloads on a real device, in an environment of its own: numba-cuda's newest release
# with the parts of the toolkit that its extra brings. Goes on after a failure, so that all there is
# to see is seen, and ends with the first status that was not 0.
#
#   FIXWATCH_EXTRA=cu12   the extra, where the driver's version must not decide
#   FIXWATCH_LONG=1       10,000 trials of each workload as well
set -euo pipefail
cd "$(dirname "$0")/.."

first_status=0
go_on() {
    local status=0
    "$@" || status=$?
    if [ "$first_status" -eq 0 ]; then first_status="$status"; fi
}

extra="${FIXWATCH_EXTRA:-}"
if [ -z "$extra" ]; then
    # CUDA 13 needs a driver of its own generation, 580 or newer; CUDA 12 runs on both. Several
    # devices have one driver.
    drivers="$(nvidia-smi --query-gpu=driver_version --format=csv,noheader)"
    driver="${drivers%%.*}"
    if [ "$driver" -ge 580 ]; then extra=cu13; else extra=cu12; fi
fi
python3 -m venv --clear .fixwatch/gpu
python=.fixwatch/gpu/bin/python
"$python" -m pip install --quiet --disable-pip-version-check "numba-cuda[$extra]" 'pytest>=8.2'

# A machine that was meant to have a device and has none must not pass by skipping everything.
"$python" -m mwe --target cuda --check
go_on "$python" -m mwe --ptx
go_on "$python" -m pytest tests/device
go_on "$python" -m mwe --target cuda
go_on "$python" -m mwe --target cuda --schedule launch-mix

# The same release as a row of the tracker: results/cuda and html/.
make .venv/installed
.venv/bin/asv machine --yes
go_on .venv/bin/asv --config asv.cuda.conf.json run 'numba-cuda^!'
go_on .venv/bin/python -m fixwatch status --config asv.cuda.conf.json
exit "$first_status"
