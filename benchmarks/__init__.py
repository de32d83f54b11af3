"""asv benchmarks: counts of failing trials of each workload under each schedule.

Every batch runs once, in `setup_cache`; the three benchmarks read different counts of it.
"""

# It puts the project's root on the path, so it comes first.
from benchmarks.batches import end_with_asv, list_parameters, measure_batches
from mwe.planned.plan import MEASUREMENT_VERSION

end_with_asv()


def setup_cache():
    """Run the batches; see `benchmarks.batches.measure_batches`."""
    return measure_batches()


setup_cache.timeout = 1800
# Not to be had for this Python, or no device on this machine: no failure of a run.
NOT_APPLICABLE = ("availability", "device")


def setup(results, workload, schedule):
    """Declare what was never to be run as not applicable, which asv knows by this error."""
    if (workload, schedule) not in results:
        raise NotImplementedError("not planned by this configuration")
    result = results[workload, schedule]
    if result.stage in NOT_APPLICABLE:
        raise NotImplementedError(result.reason)


def _count(results, workload, schedule, name):
    batch = results[workload, schedule].batch
    # asv takes None for a failure, and tries it again if it is asked to.
    return batch and batch[name]


def track_failures(results, workload, schedule):
    """Failing trials of a batch, in whichever mode."""
    return _count(results, workload, schedule, "failures")


def track_trials(results, workload, schedule):
    """Judged trials of a batch."""
    return _count(results, workload, schedule, "trials")


def track_early_return_failures(results, workload, schedule):
    """Failures whose thread should have returned early; expected to be 0, NaN where unknown."""
    batch = results[workload, schedule].batch
    if batch and batch["early_return_failures"] is None:
        return float("nan")
    return _count(results, workload, schedule, "early_return_failures")


for _benchmark in (track_failures, track_trials, track_early_return_failures):
    _benchmark.params = list_parameters()
    _benchmark.param_names = ["workload", "schedule"]
    _benchmark.unit = "trials"
    _benchmark.version = MEASUREMENT_VERSION
