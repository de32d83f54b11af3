#!/usr/bin/env bash
# The steps of a sharded scan: scan.sh plan | measure | merge
#
#   UPSTREAM, RANGE, SHARDS   of plan
#   PLAN                      what the planning job printed, for the other two
#   SHARD                     the number of this share, of measure
#   ACCEPT                    "true" where a person answers for verdicts that change, of merge
set -euo pipefail
cd "$(dirname "$0")/.."
make .venv/installed
mkdir -p .fixwatch
plan=.fixwatch/plan.json
if [ -n "${PLAN:-}" ]; then printf '%s\n' "$PLAN" > "$plan"; fi

case "${1:-}" in
    plan)
        case "${UPSTREAM:?give numba or numba-cuda, and RANGE, SHARDS}" in
            numba) config=asv.conf.json ;;
            numba-cuda) config=asv.numba-cuda.conf.json ;;
            *) echo "no upstream is called $UPSTREAM" >&2; exit 2 ;;
        esac
        matrix=$(.venv/bin/python -m fixwatch plan --config "$config" --shards "$SHARDS" \
            --machine github-linux-x86_64 --hand-over "$plan" -- "$RANGE")
        { echo "matrix=$matrix"; echo "plan=$(cat "$plan")"; } >> "${GITHUB_OUTPUT:-/dev/stdout}"
        ;;
    measure)
        # What is committed stays out of the shard; only what is measured here is handed over.
        rm -rf results
        .venv/bin/python -m fixwatch check --plan "$plan" --shard "$SHARD"
        ;;
    merge)
        accept=()
        if [ "${ACCEPT:-}" = true ]; then accept=(--accept); fi
        # With 5 something was refused and the rest was taken; the last step fails then.
        refused=0
        .venv/bin/python -m fixwatch merge --plan "$plan" "${accept[@]}" .fixwatch/shards/* \
            || refused=$?
        [ "$refused" -eq 0 ] || [ "$refused" -eq 5 ] || exit "$refused"
        {
            echo '```'
            .venv/bin/python -m fixwatch status | tr -d '`'
            echo '```'
        } >> "${GITHUB_STEP_SUMMARY:-/dev/stdout}"
        echo "refused=$refused" >> "${GITHUB_OUTPUT:-/dev/stdout}"
        ;;
    *)
        echo "scan.sh plan | measure | merge" >&2
        exit 2
        ;;
esac
