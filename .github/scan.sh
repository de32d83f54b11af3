#!/usr/bin/env bash
# The steps of a sharded scan: scan.sh plan | measure | merge
set -euo pipefail
cd "$(dirname "$0")/.."
make .venv/installed

configuration() {
    case "${UPSTREAM:?give numba or numba-cuda, and RANGE, SHARDS}" in
        numba) echo asv.conf.json ;;
        numba-cuda) echo asv.numba-cuda.conf.json ;;
        *) echo "no upstream is called $UPSTREAM" >&2; exit 2 ;;
    esac
}

case "${1:-}" in
    plan)
        config=$(configuration)
        matrix=$(.venv/bin/python -m fixwatch plan --config "$config" --shards "$SHARDS" -- "$RANGE")
        echo "matrix=$matrix" >> "${GITHUB_OUTPUT:-/dev/stdout}"
        ;;
    measure)
        config=$(configuration)
        # What is committed stays out of the shard; only what is measured here is handed over.
        rm -rf results
        machine=github-linux-x86_64
        .venv/bin/asv --config "$config" machine --yes --machine "$machine" \
            --os Linux --arch x86_64 --cpu x86_64 --num_cpu 4 --ram unknown
        # asv exits with 2 when it went through but something failed; the evidence says what.
        tr ' ' '\n' <<< "$COMMITS" \
            | .venv/bin/asv --config "$config" run --machine "$machine" HASHFILE:- || [ $? -eq 2 ]
        ;;
    merge)
        # With 5 something was refused and the rest was taken; the last step fails then.
        refused=0
        .venv/bin/python -m fixwatch merge shards/* || refused=$?
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
