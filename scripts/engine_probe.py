"""Measure the engine in one environment; prints a JSON object. Started by `scripts.measure_engine`.

Needs numpy, numba and `mwe` only.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time

from mwe.batch import Batch
from mwe.isolation import run_batch
from mwe.planned.plan import find_planned_trials
from mwe.runner import iter_trials
from mwe.schedules import SCHEDULES, Natural
from mwe.targets import Target, prepare_target
from mwe.workloads import DEFAULT_WORKLOAD, WORKLOADS, find_workload

N_ROUNDS = 8
N_TRIALS = 40
# The shape in which schedules are compared with bare launches.
N_THREADS = {"delay": 8, "handoff": 2, "natural": 8}


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


def compare(name):
    """Compare a schedule with bare launches of the same shape, round by round."""
    workload = find_workload("local-array")
    n_threads = N_THREADS[name]
    ratios, bare_cpu, cpu, wall = {"cpu": [], "wall": []}, [], [], []
    for seed in range(N_ROUNDS):
        bare = probe(Natural(), workload.load(n_threads), seed)
        paced = probe(SCHEDULES[name], workload.load(n_threads), seed)
        for index, kind in enumerate(ratios):
            ratio = statistics.median(paced[index]) / statistics.median(bare[index])
            ratios[kind].append(ratio)
        bare_cpu += bare[0]
        cpu += paced[0]
        wall += paced[1]
    return {
        "n_threads": n_threads,
        "bare_cpu_s": statistics.median(bare_cpu),
        "cpu_s": statistics.median(cpu),
        "wall_s": statistics.median(wall),
        "cpu_ratio": statistics.median(ratios["cpu"]),
        "wall_ratio": statistics.median(ratios["wall"]),
    }


def run_plan():
    """Run the whole batch plan of local-array; return its cost and the first failure's time."""
    workload = find_workload("local-array")
    start_s, start_cpu_s = time.perf_counter(), _cpu_s()
    first_failure_s = None
    for name, schedule in SCHEDULES.items():
        n_trials = find_planned_trials(WORKLOADS[DEFAULT_WORKLOAD], name, Target.SIMULATOR)
        if n_trials is None:
            continue
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


def count_failures(n_trials):
    """Return the failures of each schedule in its shape."""
    workload = find_workload("local-array")
    failures = {}
    for name, schedule in SCHEDULES.items():
        trials = iter_trials(workload.load(N_THREADS[name]), schedule, 1, range(1, n_trials + 1))
        failures[name] = sum(trial.outcome.failed for trial in trials)
    return failures


def main():
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory-trials", type=int)
    parser.add_argument("--rate-trials", type=int)
    options = parser.parse_args()
    prepare_target(Target.SIMULATOR)
    if options.rate_trials:
        result = count_failures(options.rate_trials)
    else:
        result = {name: compare(name) for name in ("delay", "handoff")}
        result["plan"] = run_plan()
        if options.memory_trials:
            result["memory_mib"] = measure_memory(options.memory_trials)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
