#!/usr/bin/env bash
# The weekly check's measuring job. Unchanged and changed are both a success of the job.
set -uo pipefail
cd "$(dirname "$0")/.."
make .venv/installed || exit 1
.venv/bin/python -m fixwatch check
status=$?
if [ -f .fixwatch/check/check.md ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    cat .fixwatch/check/check.md >> "$GITHUB_STEP_SUMMARY"
fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then
    echo "status=$status" >> "$GITHUB_OUTPUT"
fi
case "$status" in
    0 | 10) exit 0 ;;
    *) exit "$status" ;;
esac
