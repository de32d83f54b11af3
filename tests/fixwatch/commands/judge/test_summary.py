"""The answer in words, with upstream's texts in it that must not become markup."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import datetime, timezone

import jsonschema
import pytest
from rich.console import Console

from fixwatch.commands.judge.batches import plan_judge
from fixwatch.commands.judge.document import build_document
from fixwatch.commands.judge.launch_cost import CostOfLaunch
from fixwatch.commands.judge.run import JudgeRun
from fixwatch.commands.judge.snapshots import Snapshot
from fixwatch.commands.judge.summary import (
    LIMITS,
    list_statements,
    print_answer,
    render_markdown,
)
from fixwatch.verdicts.working_tree import judge
from fixwatch.verdicts.wrong_fixes import ChanceOfPassing
from tests.fixwatch.sample_records import SIMULATED_DEFECTS, new_batch
from tests.fixwatch.verdicts.test_working_tree import (
    BASE,
    EVERYTHING,
    EXPLORED,
    RACY,
    SWAP,
    WHOLE_BASE,
    measure,
)
from tests.project import ROOT

SCHEMA = json.loads((ROOT / "docs" / "judge.schema.json").read_text(encoding="utf-8"))
EVIL = "v1 <img src=x> | `@all` [link](http://x) [red]\x1b[31m"
# Of the workloads, under the schedules that decide.
N_TRIALS = sum(
    batch.n_trials
    for batch in SWAP
    if (batch.workload, batch.schedule) in RACY and not batch.is_exploration
)
COST = CostOfLaunch(ratio=1.04, low=0.99, high=1.06, rounds=15, reason=None)


def new_snapshot(name="d41b90d3", **changes):
    """Return a snapshot of that name."""
    values = {
        "upstream": "numba-cuda",
        "commit": "c" * 40,
        "tree": "a" * 40,
        "head": "b" * 40,
        "name": name,
        "date": datetime(2026, 1, 22, tzinfo=timezone.utc),
        "n_changed": 2,
    }
    return Snapshot(**{**values, **changes})


def new_run(failures, *, name="d41b90d3", reason=None, cost=None, plan=SWAP, base=BASE):
    """Return a run of these failures beside an affected base."""
    record = measure(failures, plan=plan)
    defects = list(dict.fromkeys(batch.defect for batch in record.batches))
    if reason is not None:
        record = replace(record, batches=(), not_run_stage="build", not_run_reason=reason)
    return JudgeRun(
        judged=new_snapshot(name),
        result=judge(record, base, defects),
        base=new_snapshot("55a84eb7", commit="b" * 40),
        base_result=judge(base, base),
        launch_cost=cost or COST,
    )


def show(run, **options):
    """Return what the terminal shows, styles included."""
    console = Console(file=io.StringIO(), width=160, force_terminal=True)
    print_answer(run, console, **options)
    return console.file.getvalue()


def test_a_clean_answer_says_what_it_rests_on():
    """It gives counts, bounds, reference, wrong fixes, cost, and what it does not prove."""
    run = new_run({})
    chances = tuple(ChanceOfPassing(variant=v, chance=c) for v, c in (("late", 3e-9), ("early", 0)))
    found = (replace(run.result.defects[0], chances_of_passing=chances),)
    text = render_markdown(replace(run, result=replace(run.result, defects=found)))
    assert text.startswith("## Defects of the CUDA simulator: not observed\n")
    assert "d41b90d3 + changes in 2 files, tree aaaaaaaa: cuda-swap not observed`" in text
    assert f"`cuda-swap: 0 of {N_TRIALS} trials failed; explore: every schedule passed in" in text
    assert "cuda-swap: chance that this plan detects an unfixed revision: " in text
    # The one-sided bound of 0 of 50: 1 - 0.05 ** (1 / 50).
    assert "| local-array | delay | 0 of 50 | at most 0.058 | not-observed | 49 of 50 |" in text
    assert (
        "cuda-swap: a wrong fix of the 2 known kinds would have passed with a chance of 3e-09"
        " (the worst: late)"
    ) in text
    assert "1.04 times what it does with 55a84eb7 (95 %: 0.99 to 1.06, 15 rounds)" in text
    assert "not that there is none" in text


def test_the_answer_names_each_defect_with_its_verdict_first():
    """Whoever reads one line knows all of them; each has a line of its own behind."""
    way = (EXPLORED.default_workload.name, "explore")
    blind = {("planted-race", "delay"): 0}
    run = new_run({way: 1, **blind}, plan=EVERYTHING, base=WHOLE_BASE)
    first, _, *others = list_statements(run)
    verdicts = dict.fromkeys(SIMULATED_DEFECTS, "not observed")
    verdicts |= {"cuda-swap": "could not measure", EXPLORED.name: "observed"}
    listed = ", ".join(f"{name} {verdict}" for name, verdict in verdicts.items())
    assert first.endswith(f", tree aaaaaaaa: {listed}")
    for name, verdict in verdicts.items():
        (line,) = [line for line in others if line.startswith(f"{name}: ") and "chance" not in line]
        assert ("could not measure, does not count" in line) is (verdict == "could not measure")
    beside = ", ".join(f"{name} observed" for name in SIMULATED_DEFECTS)
    assert f"Beside it 55a84eb7: {beside}" in others
    assert len(others) <= 2 * len(SIMULATED_DEFECTS) + 3


def test_launches_that_were_refused_are_told():
    """Who relies on them learns that they raise."""
    defect = next(defect for defect in SIMULATED_DEFECTS.values() if "natural" in defect.schedules)
    name = defect.default_workload.name
    printed = replace(new_batch(name, 0, 20, schedule="natural").printed, refusals=19)
    change = {f"{name}__natural".replace("-", "_"): {"printed": printed}}
    record = measure({}, plan=plan_judge(defects=[defect.name]), **change)
    run = JudgeRun(judged=new_snapshot(), result=judge(record, WHOLE_BASE))
    says = f"trials failed; in 19 trials upstream refused {defect.refused}, with an error that"
    assert says in " ".join(list_statements(run))
    rows = {m["workload"]: m for m in build_document(run)["measurements"]}
    assert (rows[name]["refusals"], rows[name]["verdict"]) == (19, "not-observed")


def test_the_document_has_a_verdict_for_each_defect():
    """What is said of all of them stays where it was."""
    way = (EXPLORED.default_workload.name, "explore")
    document = build_document(new_run({way: 1}, plan=EVERYTHING, base=WHOLE_BASE))
    verdicts = {found["defect"]: found["verdict"] for found in document["defects"]}
    assert verdicts == {
        **dict.fromkeys(SIMULATED_DEFECTS, "not-observed"),
        EXPLORED.name: "observed",
    }
    assert (document["verdict"], document["reason"]) == ("observed", None)
    assert {row["defect"] for row in document["measurements"]} == SIMULATED_DEFECTS.keys()
    assert document["wrong_fixes"] is not None
    assert {found["verdict"] for found in document["against"]["defects"]} == {"observed"}


def test_explorations_stand_beside_the_rates():
    """Each has a row without a rate; what they ran is in no count and no chance."""
    run = new_run({})
    text = render_markdown(run)
    assert "; a part was run, none failed, in " in text
    assert "explore, local-array: all 4,832 schedules of 2 threads with at most 2 forced" in text
    assert "| local-array | explore | none | all 4,832 run | not-observed | a schedule |" in text
    assert "| chunked-local | explore | none | 123 of 4,832 or more run | no proof |" in text
    rows = {(m["workload"], m["schedule"]): m for m in build_document(run)["measurements"]}
    whole, part = rows["local-array", "explore"], rows["chunked-local", "explore"]
    assert (whole["trials"], whole["failures"], whole["rate_high"]) == (4832, 0, None)
    assert (whole["space"]["exhausted"], whole["decides"]) == (True, True)
    assert (part["space"]["exhausted"], part["decides"]) == (False, False)
    assert rows["local-array", "delay"]["space"] is None
    batches = tuple(b for b in run.result.record.batches if not b.is_exploration)
    alone = judge(replace(run.result.record, batches=batches), BASE)
    assert alone.confidence == run.result.confidence is not None
    assert alone.defects[0].chances_of_passing == run.result.defects[0].chances_of_passing


def test_what_only_an_exploration_finds_is_said_beside_the_trials():
    """Else it would say that 0 trials failed, and that the defect was observed."""
    text = render_markdown(new_run({("shared-array", "explore"): 1}))
    assert text.startswith("## Defects of the CUDA simulator: observed\n")
    assert "cuda-swap observed" in text.splitlines()[2]
    failed = f"0 of {N_TRIALS} trials failed; explore: a schedule failed in shared-array;"
    assert f"`cuda-swap: {failed} every" in text
    assert "--workload shared-array --replay 0,0@79:1,1@57:0" in text
    assert "not a harness artefact" not in text


def test_an_observation_is_shown_with_its_interval():
    """It makes no statement on wrong fixes, and names one schedule to replay."""
    text = render_markdown(new_run(RACY))
    assert text.startswith("## Defects of the CUDA simulator: observed\n")
    # Clopper and Pearson of 49 of 50.
    assert "| local-array | delay | 49 of 50 | 0.894 to 0.999 | observed |" in text
    assert "wrong fix" not in text
    assert "not that there is none" not in text
    assert text.count("--replay") == 1


def test_what_could_not_be_measured_shows_no_counts():
    """The reason stands in one line; there is no table and no zero."""
    run = new_run({}, reason="cc: no such file\nlast line")
    text = render_markdown(run)
    assert "could not measure, build: cc: no such file last line" in text
    assert "0 of" not in text.partition("Beside it")[0]
    assert "could not measure" in show(run)


@pytest.mark.parametrize("field", ["name", "reason"])
def test_upstreams_texts_are_no_markup(field):
    """They add none to the Markdown and none to what a terminal shows."""
    run = new_run({}, **{field: EVIL})
    text = render_markdown(run)
    for line in text.splitlines():
        code = line.split("`")[1::2]
        outside = "".join(line.split("`")[::2])
        assert line.count("`") % 2 == 0
        for sign in ("<img", "@all", "[link]"):
            assert sign not in outside
            assert sign in "".join(code) or sign not in line
    shown = show(run, shows_batches=True)
    assert "\x1b[31m" not in shown.partition("workload")[0]
    assert "[red]" in shown


def test_the_terminal_has_the_answer_first_and_batches_if_asked():
    """Hundred rows would push the answer off the screen."""
    run = new_run({})
    short, long = show(run), show(run, shows_batches=True)
    assert short.startswith("numba-cuda d41b90d3 + ")
    assert "cuda-swap not observed" in short.splitlines()[0]
    assert short.rstrip().endswith(LIMITS)
    assert "schedule │" not in short
    assert long.startswith(short)
    n_rows = len(run.result.measurements)
    assert len(long.splitlines()) == len(short.splitlines()) + 1 + 2 + n_rows


@pytest.mark.parametrize("failures", [{}, RACY, {("planted-race", "delay"): 0}])
def test_the_document_fits_its_schema(failures):
    """It does so for every verdict, without a base, and where nothing was run."""
    whole = new_run(failures)
    record = replace(measure({}), batches=(), not_run_stage="build", not_run_reason="no")
    lone = JudgeRun(judged=new_snapshot(), result=judge(record, defects=list(SIMULATED_DEFECTS)))
    for run in (whole, lone):
        document = json.loads(json.dumps(build_document(run), allow_nan=False))
        jsonschema.validate(document, SCHEMA)
    assert document["measurements"] == []
    assert document["against"] is None


def test_the_schema_refuses_a_zero_that_is_none():
    """A batch that did not run has no trials; 0 is not one of the numbers that it may have."""
    document = build_document(new_run({}))
    document["measurements"][0]["trials"] = 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)
