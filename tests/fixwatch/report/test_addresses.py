"""Where pages link to: asv's own sites lie where publishing puts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixwatch.configuration import load_configuration
from fixwatch.layout import CONFIGURATIONS
from fixwatch.report.addresses import name_benchmarks, name_sheet, release_anchor


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_asvs_sites_are_named_like_their_results(name):
    """By upstream, source and what was measured; releases of several upstreams share a folder."""
    configuration = load_configuration(Path(name))
    folder = configuration.results_dir.name
    targets = [target for target in ("compiler", "cuda") if folder.startswith(target)]
    target = (targets or ["simulator"])[0]
    upstream = "numba-cuda" if folder.endswith("numba-cuda") else "numba"
    expected = f"{folder}/{upstream}" if configuration.source == "releases" else folder
    assert name_benchmarks(upstream, configuration.source, target) == expected


def test_no_two_histories_share_a_page():
    """numba on a device is not numba-cuda in the simulator."""
    on_device = name_sheet("numba", "releases", "cuda", "cuda-swap")
    simulated = name_sheet("numba-cuda", "releases", "simulator", "cuda-swap")
    assert on_device != simulated


def test_no_name_leaves_the_site():
    """Whatever upstream calls a release."""
    assert release_anchor("numba", "../<1>") == "numba-..__1_"
    assert "/" not in name_sheet("../numba", "commits", "simulator", "a/b")
