"""Measure the engine in one environment; prints a JSON object. Started by `scripts.measure_engine`.

Needs numpy, numba and `mwe` only.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time

from mwe.batch import Batch
from mwe.isolation import run_batch
from mwe.plan import find_planned_trials
from mwe.runner import iter_trials
from mwe.schedules import SCHEDULES, Natural
from mwe.targets import Target, prepare_target
from mwe.workloads import find_workload
from mwe.workloads.subject import Role

N_ROUNDS = 8
N_TRIALS = 40
N_THREADS = {"delay": 8, "handoff": 2}


def probe(schedule, subject, seed):
    """Return CPU and wall seconds of each trial, and how many failed."""
    cpu, wall, n_failures = [], [], 0
    trials = iter_trials(subject, schedule, seed, range(1, N_TRIALS + 1))
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for trial in trials:
        now_cpu_s, now_wall_s = time.process_time(), time.perf_counter()
        cpu.append(now_cpu_s - cpu_s)
        wall.append(now_wall_s - wall_s)
        n_failures += trial.outcome.failed
        cpu_s, wall_s = time.process_time(), time.perf_counter()
    return cpu, wall, n_failures


def measure_schedule(name):
    """Compare a schedule with bare launches of the same shape, round by round."""
    workload = find_workload("local-array")
    n_threads = N_THREADS[name]
    ratios, bare_cpu, cpu, wall, n_failures = [], [], [], [], 0
    for seed in range(N_ROUNDS):
        bare = probe(Natural(), workload.load(n_threads), seed)
        paced = probe(SCHEDULES[name], workload.load(n_threads), seed)
        ratios.append(statistics.median(paced[0]) / statistics.median(bare[0]))
        bare_cpu += bare[0]
        cpu += paced[0]
        wall += paced[1]
        n_failures += paced[2]
    return {
        "n_threads": n_threads,
        "trials": N_ROUNDS * N_TRIALS,
        "failures": n_failures,
        "bare_cpu_s": statistics.median(bare_cpu),
        "cpu_s": statistics.median(cpu),
        "wall_s": statistics.median(wall),
        "cpu_ratio": statistics.median(ratios),
    }


def run_plan():
    """Run the whole batch plan of local-array; return its cost and the first failure's time."""
    workload = find_workload("local-array")
    start_s, start_cpu_s = time.perf_counter(), _cpu_s()
    first_failure_s = None
    for name, schedule in SCHEDULES.items():
        n_trials = find_planned_trials(Role.WORKLOAD, name)
        batch = Batch(workload="", role="", schedule=name, target="simulator", seed=1)
        batch_start_s = time.perf_counter() - start_s
        run_batch(lambda s=schedule: workload.load(s.n_active_threads), schedule, batch, n_trials)
        if batch.first_failure_s is not None and first_failure_s is None:
            first_failure_s = batch_start_s + batch.first_failure_s
    return {
        "wall_s": time.perf_counter() - start_s,
        "cpu_s": _cpu_s() - start_cpu_s,
        "first_failure_s": first_failure_s,
    }


def _cpu_s():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure_memory(n_trials):
    """Return the resident size in MiB after a tenth of the trials and after all, under delay."""
    subject = find_workload("local-array").load(None)
    sizes = []
    for trial in iter_trials(subject, SCHEDULES["delay"], 1, range(1, n_trials + 1)):
        if trial.number in (n_trials // 10, n_trials):
            with open("/proc/self/statm", encoding="ascii") as file:
                sizes.append(int(file.read().split()[1]) * resource.getpagesize() / 2**20)
    return sizes


if __name__ == "__main__":
    prepare_target(Target.SIMULATOR)
    result = {name: measure_schedule(name) for name in N_THREADS}
    result["plan"] = run_plan()
    if len(sys.argv) > 1:
        result["memory_mib"] = measure_memory(int(sys.argv[1]))
    print(json.dumps(result))
