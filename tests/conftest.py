"""What all tests share. The simulator must be chosen before anything imports numba."""

from __future__ import annotations

import os

os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
