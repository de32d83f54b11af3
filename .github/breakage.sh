#!/usr/bin/env bash
# Says that the weekly look broke, or that it works again: on the page, through a file beside the
# results, and in an issue of its own. It needs git and gh alone, so that it works where nothing can
# be installed.
#
#   PLAN_RESULT, MEASURE_RESULT, MERGE_RESULT, TRACK_RESULT   how the other jobs ended
#   RUN_URL, GH_TOKEN, GH_REPO
set -euo pipefail

step() {
    cd "$(dirname "$0")/.."
    local text="" failed=0 job result
    for job in PLAN MEASURE MERGE TRACK; do
        result="${job}_RESULT"
        # A job is skipped where there is nothing to measure, or an earlier one broke.
        case "${!result}" in
            success | skipped) ;;
            *) text="$text${text:+, }${job,,}: ${!result}" ;;
        esac
    done
    if [ -n "$text" ]; then note "$text" || failed=$?; fi
    tell "$text" || failed=$?
    return "$failed"
}

note() {
    local attempt
    for attempt in 1 2 3 4 5; do
        # Its caller tests its status, so `set -e` ends nothing in here.
        git fetch --quiet origin main || continue
        git checkout --quiet --force --detach FETCH_HEAD || return 1
        # One that is there already says since when.
        [ ! -f results/tracker-problem.json ] || return 0
        printf '{"version": 1, "since": "%s", "text": "the weekly check broke: %s"}\n' \
            "$(date --utc +%FT%T+00:00)" "$1" > results/tracker-problem.json
        git add results/tracker-problem.json || return 1
        git -c user.name='github-actions[bot]' \
            -c user.email='41898282+github-actions[bot]@users.noreply.github.com' \
            commit --quiet --message "Note that the weekly check broke" || return 1
        if git -c credential.helper= -c credential.helper='!gh auth git-credential' \
            push --quiet origin HEAD:main; then
            return 0
        fi
    done
    return 1
}

tell() {
    local title="The weekly check is broken" number
    # Anybody can open an issue of this title; ours is the workflow's own.
    number=$(gh issue list --state open --author app/github-actions --limit 200 \
        --search "\"$title\" in:title" --json number --jq '.[0].number // empty') || return 1
    if [ -n "$1" ] && [ -n "$number" ]; then
        gh issue comment "$number" --body "Again: $1. $RUN_URL"
    elif [ -n "$1" ]; then
        gh issue create --title "$title" --body "$1. $RUN_URL"
    elif [ -n "$number" ]; then
        gh issue close "$number" --comment "It came to its end again: $RUN_URL"
    fi
}

step; exit
