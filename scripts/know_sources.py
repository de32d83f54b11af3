"""Write the sources that the shield knows into its file, from the wheels of all releases.

A source that it does not have yet is for a person to read first: whether the defect is in it still,
and whether the repair fits. ``--accept`` takes such sources in.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.version import Version

from fixwatch.durable_files import write_text_atomically
from fixwatch.history.release_table import Release, load_release_table
from mwe.shield import cudasim_shield as shield

SHIELD = Path(shield.__file__)
# Each of these Pythons can have all releases, or those that it can have are enough.
PYTHON = "3.11"
# The first version of an upstream that has mended a defect.
MENDED_FROM = {("cuda-swap", "numba-cuda"): Version("0.26.0")}  # d41b90d3

# By defect and digest, the releases that have it.
Known = dict[str, dict[str, list[Release]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table; 1 if there is a source to read first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", action="store_true", help="take in sources that are new")
    options = parser.parse_args(arguments)
    releases = load_release_table()
    affected, mended = find_sources(releases)
    is_known = True
    for defect, digests in [*affected.items(), *mended.items()]:
        for digest, own in digests.items():
            before = {*shield.AFFECTED.get(defect, ()), *shield.MENDED.get(defect, ())}
            if digest not in before:
                is_known = False
                print(f"new source for {defect}, {digest}: {name_releases(own, releases)}")
    if not is_known and not options.accept:
        print("read them, then run this again with --accept", file=sys.stderr)
        return 1
    write_table(affected, mended, releases)
    return 0


def find_sources(releases: Iterable[Release]) -> tuple[Known, Known]:
    """Return which sources releases have, those with a defect and those that mended it."""
    affected: Known = defaultdict(lambda: defaultdict(list))
    mended: Known = defaultdict(lambda: defaultdict(list))
    for release in releases:
        print(f"{release.upstream} {release.version}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="fixwatch-wheel-") as folder:
            modules = read_simulator(release, Path(folder))
        for defect, repair in shield.REPAIRS.items():
            digest = shield.digest(find_source(modules, subject) for subject in repair.subjects)
            first = MENDED_FROM.get((defect, release.upstream))
            is_mended = first is not None and Version(release.version) >= first
            (mended if is_mended else affected)[defect][digest].append(release)
    return affected, mended


def read_simulator(release: Release, folder: Path) -> dict[str, str]:
    """Return the simulator's two modules as a release's wheel has them."""
    command = [
        *("uv", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"),
        *(f"--python-version={PYTHON}", f"--target={folder}"),
        f"{release.upstream}=={release.version}",
    ]
    uv = Path(sys.executable).with_name(command[0])
    subprocess.run([uv, *command[1:]], check=True)
    top = folder / "numba_cuda" if release.upstream == "numba-cuda" else folder
    simulator = top / "numba" / "cuda" / "simulator"
    return {
        name: (simulator / f"{name}.py").read_text(encoding="utf-8")
        for name in ("kernel", "kernelapi")
    }


def find_source(modules: dict[str, str], subject: str) -> str:
    """Return a subject's source as `inspect.getsource` would, with its decorators."""
    module, *names = subject.split(".")
    body: list[ast.stmt] = ast.parse(modules[module]).body
    for name in names:
        (node,) = (
            node
            for node in body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name
        )
        body = node.body
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "\n".join(modules[module].splitlines()[first - 1 : node.end_lineno])


def name_releases(own: Sequence[Release], releases: Sequence[Release]) -> str:
    """Return releases in a few words, those that follow one another as a span."""
    spans = []
    for upstream in dict.fromkeys(release.upstream for release in own):
        every = sorted({Version(r.version) for r in releases if r.upstream == upstream})
        has = {Version(release.version) for release in own if release.upstream == upstream}
        runs = [
            list(run) for is_own, run in itertools.groupby(every, key=has.__contains__) if is_own
        ]
        named = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
        spans.append(f"{upstream} {', '.join(named)}")
    return "; ".join(spans)


def write_table(affected: Known, mended: Known, releases: Sequence[Release]) -> None:
    """Replace what stands between the two comments in the shield's file."""
    lines = []
    for name, known in (("AFFECTED", affected), ("MENDED", mended)):
        lines.append(f"{name}: dict[str, dict[str, str]] = {{")
        for defect, digests in known.items():
            lines.append(f'    "{defect}": {{')
            for digest, own in digests.items():
                lines.append(f'        "{digest}": "{name_releases(own, releases)}",')
            lines.append("    },")
        lines.append("}")
    table = "\n".join(lines)
    between = re.compile("(# begin: known sources[^\n]*\n).*?(# end: known sources\n)", re.DOTALL)
    text, n_found = between.subn(
        lambda found: f"{found[1]}{table}\n{found[2]}", SHIELD.read_text(encoding="utf-8")
    )
    if n_found != 1:
        raise ValueError(f"{SHIELD}: {n_found} places for the table, need one")
    write_text_atomically(SHIELD, text)


if __name__ == "__main__":
    sys.exit(main())
