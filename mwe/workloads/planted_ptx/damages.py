"""Ways to damage the PTX of the kernel beside this, for each thing that the judge claims to see.

Each takes the text that a release's compiler made, and changes one thing in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Damage = Callable[[str], str]


def _replace(pattern: str, replacement: str) -> Damage:
    """Return the damage that replaces the first place that fits."""
    return lambda text: re.sub(pattern, replacement, text, count=1, flags=re.MULTILINE)


def _shrink(space: str) -> Damage:
    """Return the damage that leaves an array of a space one element less."""

    def damage(text: str) -> str:
        pattern = rf"(\.{space}\s+\.align\s+\d+\s+\.b8\s+\w+\[)(\d+)\]"
        return re.sub(pattern, lambda found: f"{found[1]}{int(found[2]) - 8}]", text, count=1)

    return damage


def _cut_short(text: str) -> str:
    return text[: text.rindex("ret;")]


def _repeat_kernel(text: str) -> str:
    start = re.search(r"^\s*\.visible\s+\.entry\b", text, re.MULTILINE)
    return text + text[start.start() if start else 0 :].replace(".entry ", ".entry other_", 1)


def _read_backwards(text: str) -> str:
    """Let the constant be read from its first byte backwards.

    The address of the constant goes from register to register; where a distance is added to
    it, that is subtracted.
    """
    found = re.search(r"(%\w+),\s*_cudapy_cmem[\w$]*;", text)
    register = found[1] if found else "%none"
    generic = re.search(rf"cvta\.const\.u64\s+(%\w+),\s*{register};", text)
    register = generic[1] if generic else register
    for one, other in ((rf"{register}", r"%\w+"), (r"%\w+", rf"{register}")):
        added = re.search(rf"add\.s64\s+(%\w+),\s*({one}),\s*({other});", text)
        if added:
            distance = added[3] if added[2] == register else added[2]
            subtraction = f"sub.s64 {added[1]}, {register}, {distance};"
            return text.replace(added[0], subtraction, 1)
    return text


# In the words of a sentence: "the judge does not see ...".
DAMAGES: dict[str, Damage] = {
    "an empty output": lambda _text: "",
    "an output that is cut short": _cut_short,
    "a target that is left out": _replace(r"^\.target\s.*$", ""),
    "another target": _replace(r"^\.target\s+sm_\d+", ".target sm_35"),
    "a kernel that is a device function": _replace(r"^(\s*\.visible\s+)\.entry\b", r"\1.func"),
    "a kernel that is there twice": _repeat_kernel,
    "a local array that is too small": _shrink("local"),
    "a local array that is not there": _replace(r"^\s*\.local\s.*$", ""),
    "a shared array that is too small": _shrink("shared"),
    "a shared array that is not there": _replace(r"^.*\.shared\s+\.align.*$", ""),
    "a constant that is too small": _shrink("const"),
    "a read in front of a constant": _read_backwards,
    "a write outside of an argument": _replace(
        r"(st\.global\.u64\s+\[%\w+)(\+\d+)?\]", r"\1+1000]"
    ),
}
