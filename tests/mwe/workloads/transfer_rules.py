"""What holds of the steps of any chunked transfer. A rule returns what broke it, else no text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.mwe.workloads.transfer_recorder import Recorder


@dataclass(frozen=True, kw_only=True)
class Use:
    """Where in the steps a buffer was acquired, and where it was given back."""

    array: Any
    acquired: int
    released: int


def find_uses(recorded: Recorder, name: str) -> list[Use]:
    """Return the uses of buffers for one of the arrays, a chunk each, in order."""
    uses = []
    for place, step in enumerate(recorded.steps):
        if step.kind == "acquire" and step.name == name:
            released = find(recorded, "release", place, thing=step.thing)
            uses.append(Use(array=step.thing, acquired=place, released=released))
    return uses


def find(recorded: Recorder, kind: str, after: int = -1, **wanted: Any) -> int:
    """Return where the first such step behind a place is; behind all steps if there is none."""
    for place, step in enumerate(recorded.steps):
        found = place > after and step.kind == kind
        if found and all(getattr(step, name) is value for name, value in wanted.items()):
            return place
    return len(recorded.steps)


def find_launches(recorded: Recorder) -> list[int]:
    """Return where the launches are."""
    return [place for place, step in enumerate(recorded.steps) if step.kind == "launch"]


def find_completion(recorded: Recorder, after: int, stream: Any) -> int:
    """Return where the first event that was recorded on a stream behind a place has completed."""
    recording = find(recorded, "record", after, stream=stream)
    if recording == len(recorded.steps):
        return recording
    return find(recorded, "complete", recording, thing=recorded.steps[recording].thing)


def host_arrays_are_pinned_where_they_fit(recorded: Recorder) -> str:
    """Pin an array that fits into a chunk, and none that is chunked."""
    transfer = recorded.transfer
    for name in ("inputs", "outputs"):
        if recorded.is_pinned(getattr(transfer, name)) is transfer.shape.is_chunked:
            return f"{name}: pinned is {transfer.shape.is_chunked}, and so is chunked"
    return "" if recorded.is_pinned(transfer.status_codes) else "status_codes: not pinned"


def pool_buffers_are_pinned(recorded: Recorder) -> str:
    """Pin the buffers: only then do a chunk's copies run beside the host's work."""
    uses = find_uses(recorded, "inputs") + find_uses(recorded, "outputs")
    plain = [use for use in uses if not recorded.is_pinned(use.array)]
    return f"{len(plain)} of {len(uses)} buffers are not pinned" if plain else ""


def a_chunk_stays_on_its_stream(recorded: Recorder) -> str:
    """Queue a chunk's copy in, launch and copy out in this order, on a stream of its own."""
    streams = []
    uses = zip(find_uses(recorded, "inputs"), find_uses(recorded, "outputs"), strict=True)
    for launch, (source, target) in zip(find_launches(recorded), uses, strict=True):
        stream = recorded.steps[launch].stream
        copied_in = find(recorded, "copy-in", source.acquired, thing=source.array)
        copied_out = find(recorded, "copy-out", target.acquired, thing=target.array)
        if not copied_in < launch < copied_out < len(recorded.steps):
            return "the copies do not enclose the launch"
        if any(recorded.steps[place].stream is not stream for place in (copied_in, copied_out)):
            return "a copy is on another stream than the launch"
        streams.append(id(stream))
    return "" if len(set(streams)) == len(streams) else "two chunks share a stream"


def inputs_are_released_behind_the_launch(recorded: Recorder) -> str:
    """Release an input once an event behind the launch that reads it has completed."""
    for launch, use in zip(find_launches(recorded), find_uses(recorded, "inputs"), strict=True):
        completed = find_completion(recorded, launch, recorded.steps[launch].stream)
        if not launch < completed < use.released < len(recorded.steps):
            return "an input buffer was released before its launch had completed"
    return ""


def outputs_are_released_behind_the_copy_out(recorded: Recorder) -> str:
    """Release an output once an event behind its copy out has completed."""
    for use in find_uses(recorded, "outputs"):
        copied_out = find(recorded, "copy-out", use.acquired, thing=use.array)
        if copied_out == len(recorded.steps):
            return "an output buffer was never copied to"
        completed = find_completion(recorded, copied_out, recorded.steps[copied_out].stream)
        if not completed < use.released < len(recorded.steps):
            return "an output buffer was released before an event behind its copy had completed"
    return ""


def the_host_copy_lies_between_completion_and_release(recorded: Recorder) -> str:
    """Copy to the host's array behind the event, and before the release."""
    for use in find_uses(recorded, "outputs"):
        copied_out = find(recorded, "copy-out", use.acquired, thing=use.array)
        stream = recorded.steps[min(copied_out, len(recorded.steps) - 1)].stream
        completed = find_completion(recorded, copied_out, stream)
        if max(completed, use.released) >= len(recorded.steps):
            return "an output buffer was never waited for or never released"
        # The watcher is one thread: between these two it copies this chunk and nothing else.
        before, behind = (recorded.steps[place] for place in (completed, use.released))
        if not behind.n_unwritten < before.n_unwritten:
            return "the host's array did not change between completion and release"
        waits = [step for step in recorded.steps[:completed] if step.kind == "not-yet"]
        if any(step.n_unwritten < before.n_unwritten for step in waits):
            return "the host's array was written before the event had completed"
    return ""


def arrays_without_a_run_axis_are_copied_whole(recorded: Recorder) -> str:
    """Give each launch the same whole array, and copy it out once, behind the last of them."""
    status, launches = recorded.transfer.status_codes, find_launches(recorded)
    given = [recorded.steps[launch].thing[2] for launch in launches]
    if any(tuple(array.shape) != status.shape for array in given):
        return "a launch was given a part of the status codes"
    if any(array is not given[0] for array in given):
        return "the launches were given different status codes"
    copies = [
        place
        for place, step in enumerate(recorded.steps)
        if step.kind == "copy-out" and getattr(step.thing, "base", None) is status
    ]
    copied_out = find(recorded, "copy-out", thing=status)
    if copies or copied_out == len(recorded.steps):
        return "the status codes were copied out in parts, or not at all"
    if find(recorded, "copy-out", copied_out, thing=status) < len(recorded.steps):
        return "the status codes were copied out twice"
    if recorded.transfer.shape.is_chunked:
        for launch in launches:
            completed = find_completion(recorded, launch, recorded.steps[launch].stream)
            if not completed < copied_out:
                return "the status codes were copied out before a launch had completed"
    return ""


RULES = {
    rule.__name__: rule
    for rule in (
        host_arrays_are_pinned_where_they_fit,
        pool_buffers_are_pinned,
        a_chunk_stays_on_its_stream,
        inputs_are_released_behind_the_launch,
        outputs_are_released_behind_the_copy_out,
        the_host_copy_lies_between_completion_and_release,
        arrays_without_a_run_axis_are_copied_whole,
    )
}
# An array that is not chunked is launched on the default stream, and waited for.
RULES_OF_WHOLE_BATCHES = (
    "host_arrays_are_pinned_where_they_fit",
    "arrays_without_a_run_axis_are_copied_whole",
)
