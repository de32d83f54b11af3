#!/usr/bin/env bash
# The steps of the weekly look: weekly.sh plan | measure | merge | track
#
#   PLAN        what the planning job printed, for the other two
#   GH_TOKEN    of merge and track alone, for gh; git asks gh for it
set -euo pipefail

# The last line runs it once all of this is read: merge replaces the file by main's.
step() {
    cd "$(dirname "$0")/.."
    .github/install.sh
    mkdir -p .fixwatch
    plan=.fixwatch/plan.json
    if [ -n "${PLAN:-}" ]; then printf '%s\n' "$PLAN" > "$plan"; fi
    output="${GITHUB_OUTPUT:-/dev/stdout}"
    case "${1:-}" in
        plan)
            .venv/bin/python -m fixwatch plan --look --machine github-linux-x86_64 > "$plan"
            # Two jobs measure all of it: a verdict changes where both say so.
            shards='[1, 2]'
            if grep -q '"asked":\[\]' "$plan"; then shards='[]'; fi
            { echo "plan=$(cat "$plan")"; echo "shards=$shards"; } >> "$output"
            ;;
        measure)
            # What is committed stays out of the shard; only what is measured here is handed over.
            rm -rf results
            .venv/bin/python -m fixwatch check --plan "$plan"
            ;;
        merge) merge ;;
        track) .venv/bin/python -m fixwatch track ;;
        *) echo "weekly.sh plan | measure | merge | track" >&2; return 2 ;;
    esac
}

# Main may move meanwhile: then everything is merged again with what is there now.
merge() {
    local attempt refused
    for attempt in 1 2 3 4 5; do
        git fetch --quiet origin main
        git checkout --quiet --force --detach FETCH_HEAD
        refused=0
        # What is merged needs no token.
        env -u GH_TOKEN .venv/bin/python -m fixwatch merge --plan "$plan" $(shards) \
            > .fixwatch/look.md || refused=$?
        [ "$refused" -eq 0 ] || [ "$refused" -eq 5 ] || return "$refused"
        cat .fixwatch/look.md >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
        git add --all results fixwatch/history/releases.json
        git -c user.name='github-actions[bot]' \
            -c user.email='41898282+github-actions[bot]@users.noreply.github.com' \
            commit --quiet --message "Look at the upstreams, $(date --utc +%F)"
        if git -c credential.helper= -c credential.helper='!gh auth git-credential' \
            push --quiet origin HEAD:main; then
            return "$refused"
        fi
        echo "main has moved (attempt $attempt); merging again" >&2
    done
    return 1
}

shards() {
    find .fixwatch/shards -mindepth 1 -maxdepth 1 -type d -name 'shard-[12]' 2> /dev/null || true
}

step "$@"; exit
