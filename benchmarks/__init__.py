"""asv benchmarks: counts of failing trials of each workload under each schedule.

Every batch runs once, in `setup_cache`; the three benchmarks read different counts of it.
"""

from benchmarks.batches import MEASUREMENT_VERSION, SCHEDULES, WORKLOADS, measure_batches


def setup_cache():
    """Run the batches; see `benchmarks.batches.measure_batches`."""
    return measure_batches()


setup_cache.timeout = 1800


def _count(outcomes, workload, schedule, name):
    outcome = outcomes[workload, schedule]
    batch = outcome.get("batch")
    if batch is not None:
        return batch[name]
    if "stage" in outcome and outcome["stage"] != "availability":
        # asv records that it failed, and tries it again if it is asked to.
        raise RuntimeError(outcome["reason"])
    # asv records NaN, not applicable; the reason is in the evidence.
    raise NotImplementedError(outcome["reason"])


def setup(outcomes, workload, schedule):
    """Declare what did not run as not applicable."""
    _count(outcomes, workload, schedule, "trials")


def track_failures(outcomes, workload, schedule):
    """Failing trials of a batch, in whichever mode."""
    return _count(outcomes, workload, schedule, "failures")


def track_trials(outcomes, workload, schedule):
    """Judged trials of a batch."""
    return _count(outcomes, workload, schedule, "trials")


def track_early_return_failures(outcomes, workload, schedule):
    """Failures whose thread should have returned early; expected to be 0."""
    count = outcomes[workload, schedule]["batch"]["early_return_failures"]
    return float("nan") if count is None else count


for _benchmark in (track_failures, track_trials, track_early_return_failures):
    _benchmark.params = [list(WORKLOADS), list(SCHEDULES)]
    _benchmark.param_names = ["workload", "schedule"]
    _benchmark.unit = "trials"
    _benchmark.version = MEASUREMENT_VERSION
