"""Documents damaged in any place, for properties of whatever reads them."""

from __future__ import annotations

import json

from hypothesis import strategies as st

# In place of what JSON writes for a value: what only a file can hold.
RAW = {
    "<infinite>": "1e999",
    "<huge>": "1" + "0" * 400,
    "<longer than Python reads>": "1" + "0" * 5000,
    "<not a number>": "NaN",
    "<infinity>": "Infinity",
    "<nested>": "[" * 1000 + "]" * 1000,
    "<nested deeper>": "[" * 100_000 + "]" * 100_000,
    "<objects>": '{"a":' * 1000 + "1" + "}" * 1000,
    "<half a character>": '"\\ud800"',
}
VALUES = (
    *(None, True, 0, -1, 1, 1.5, 2**31, 2**63, "", "x", "nan", "../../x", "\x1b[31m", "\u202e"),
    *("9999-99-99T99:99:99+00:00", "0001-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"),
    *("2026-01-01", "::error::x", "x" * 100_000, [], {}, [None], ["x", 1], [[]], {"a": 1}),
    *RAW,
)


def list_paths(document, path=()):
    """Return the keys and indices that lead to each value of a document."""
    if isinstance(document, dict):
        inner = document.items()
    elif isinstance(document, list):
        inner = enumerate(document)
    else:
        inner = ()
    return [path, *(one for key, value in inner for one in list_paths(value, (*path, key)))]


def write(document, *, is_in_lines=False):
    """Return a document as the bytes of a file, a list of lines as a line each."""
    is_in_lines = is_in_lines and isinstance(document, list)
    text = "\n".join(map(json.dumps, document)) if is_in_lines else json.dumps(document)
    for name, raw in RAW.items():
        text = text.replace(json.dumps(name), raw)
    return text.encode()


@st.composite
def damaged(draw, document, *, is_in_lines=False):
    """Return the bytes of a document with one value replaced, removed, wrapped, or swapped.

    Or of a file of which a part is missing, or other bytes are.
    """
    whole = write(document, is_in_lines=is_in_lines)
    how = draw(st.sampled_from(["replace"] * 5 + ["remove", "wrap", "swap", "cut", "bytes"]))
    if how == "cut":
        return whole[: draw(st.integers(0, len(whole) - 1))]
    if how == "bytes":
        place = draw(st.integers(0, len(whole)))
        return whole[:place] + draw(st.sampled_from([b"\xff\xfe", b"\0", b"\xef\xbb\xbf"]))
    copy = {"": json.loads(write(document))}
    paths = [("", *path) for path in list_paths(document)]
    depth = draw(st.integers(1, max(map(len, paths))))
    path = draw(st.sampled_from([path for path in paths if len(path) == depth]))
    place = copy
    for key in path[:-1]:
        place = place[key]
    key = path[-1]
    if how == "remove" and len(path) > 1:
        del place[key]
    elif how == "wrap":
        place[key] = [place[key]]
    elif how == "swap":
        other = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        place[key], place[other] = place[other], place[key]
    else:
        place[key] = draw(st.sampled_from(VALUES))
    return write(copy[""], is_in_lines=is_in_lines)
