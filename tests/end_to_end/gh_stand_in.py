"""A stand-in for GitHub's command line: the calls that the workflows make, on issues in a file.

It is run as a program of its own, as `gh` on the PATH. While the file ``away`` lies beside the
issues, it fails as it does where GitHub does not answer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

STATE = Path(os.environ.get("GH_STAND_IN", "."))
OURS = "app/github-actions"


def main() -> int:
    """Answer one call."""
    if (STATE / "away").exists():
        print("error connecting to api.github.com", file=sys.stderr)
        return 1
    if not os.environ.get("GH_TOKEN"):
        print("gh: set the GH_TOKEN environment variable", file=sys.stderr)
        return 4
    if sys.argv[1:3] == ["auth", "git-credential"]:
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["issue"])
    parser.add_argument("call", choices=["list", "create", "comment", "reopen", "close"])
    parser.add_argument("number", nargs="?", type=int)
    for name in ("state", "author", "limit", "json", "search", "jq", "title", "body", "comment"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--body-file", choices=["-"])
    options = parser.parse_args()
    path = STATE / "issues.json"
    issues = json.loads(path.read_text()) if path.exists() else []
    if options.call == "list":
        print_list(issues, options)
        return 0
    text = sys.stdin.read() if options.body_file else options.body or options.comment
    author = {"login": OURS, "is_bot": True}
    if options.call == "create":
        number = len(issues) + 1
        new = {"number": number, "state": "OPEN", "title": options.title, "body": text}
        issues.append({**new, "author": author, "comments": []})
    else:
        issue = issues[options.number - 1]
        if text:
            issue["comments"].append({"body": text, "author": author})
        if options.call in ("reopen", "close"):
            issue["state"] = "OPEN" if options.call == "reopen" else "CLOSED"
    path.write_text(json.dumps(issues))
    return 0


def print_list(issues, options):
    """Print what a list asks for: words in the title or the body, in quotes, and one filter."""
    words, _, place = (options.search or "").rpartition(" in:")
    found = [
        issue
        for issue in issues
        if options.state in ("all", issue["state"].lower())
        and options.author in (None, issue["author"]["login"])
        and (not words or words.strip('"') in issue[place])
    ]
    rows = [{name: issue[name] for name in options.json.split(",")} for issue in found]
    if options.jq == ".[0].number // empty":
        print(rows[0]["number"] if rows else "")
    else:
        assert options.jq is None, options.jq
        print(json.dumps(rows))


if __name__ == "__main__":
    sys.exit(main())
