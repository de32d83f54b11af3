"""Where things lie in a checkout. Paths are relative to its root, which every command runs in."""

from __future__ import annotations

from pathlib import Path

# Mirrors, environments and unfinished measurements; not tracked, safe to delete.
STATE_DIR = Path(".fixwatch")
CHECK_DIR = STATE_DIR / "check"
SPOOL_DIR = STATE_DIR / "spool"
RESULTS_DIR = Path("results")
# Of `asv.shield.conf.json`: releases with the shield, which no other configuration reads.
SHIELD_RESULTS_DIR = RESULTS_DIR / "shield"

COMMITS_CONFIGURATION = "asv.conf.json"
NUMBA_CUDA_CONFIGURATION = "asv.numba-cuda.conf.json"
RELEASES_CONFIGURATION = "asv.releases.conf.json"
CUDA_CONFIGURATION = "asv.cuda.conf.json"
COMPILER_RELEASES_CONFIGURATION = "asv.compiler.releases.conf.json"
# By the folder of their results. Beside the simulator: what compilers make, and a device.
CONFIGURATION_OF = {
    "numba": COMMITS_CONFIGURATION,
    "numba-cuda": NUMBA_CUDA_CONFIGURATION,
    "releases": RELEASES_CONFIGURATION,
    "cuda": CUDA_CONFIGURATION,
    "compiler-releases": COMPILER_RELEASES_CONFIGURATION,
    "compiler-numba": "asv.compiler.numba.conf.json",
    "compiler-numba-cuda": "asv.compiler.numba-cuda.conf.json",
    "cuda-numba": "asv.cuda.numba.conf.json",
    "cuda-numba-cuda": "asv.cuda.numba-cuda.conf.json",
}
CONFIGURATIONS = tuple(CONFIGURATION_OF.values())
