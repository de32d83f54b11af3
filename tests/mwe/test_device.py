"""What a device needs, said in one line: a driver that loads and starts, and a device."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.mwe.test_main import mwe

NO_SUCH_DRIVER = "/nowhere/libcuda.so.1"


@pytest.fixture(scope="module")
def build_driver(tmp_path_factory):
    """Return a function that compiles a driver with given answers."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to build a driver with")
    folder = tmp_path_factory.mktemp("drivers")

    def build(init_status, n_devices):
        path = folder / f"libcuda-{init_status}-{n_devices}.so"
        source = path.with_suffix(".c")
        source.write_text(
            f"int cuInit(unsigned flags) {{ return {init_status}; }}\n"
            f"int cuDeviceGetCount(int *count) {{ *count = {n_devices}; return 0; }}\n"
            "int cuGetErrorName(int status, const char **name)"
            ' { *name = "CUDA_ERROR_PLANTED"; return 0; }\n'
        )
        command = [compiler, "-shared", "-fPIC", "-o", str(path), str(source)]
        subprocess.run(command, check=True)
        return str(path)

    return build


COMMANDS = [
    ["--target", "cuda"],
    ["--target", "cuda", "--json"],
    ["--target", "cuda", "--schedule", "launch-mix", "--workload", "event-query"],
    ["--target", "cuda", "--check"],
]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_driver_every_command_for_a_device_says_so(command):
    """Exit 3 and one line that names the driver first; nothing that looks like a result."""
    done = mwe(*command, NUMBA_CUDA_DRIVER=NO_SUCH_DRIVER)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"mwe: no CUDA driver: {NO_SUCH_DRIVER} cannot be loaded;")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("variables", "message"),
    [({"NUMBA_CUDA_DRIVER": "0"}, "turns it off"), ({"NUMBA_DISABLE_CUDA": "1"}, "turns it off")],
)
def test_a_driver_that_numba_is_told_to_leave_alone_is_no_driver(variables, message):
    """The line says which variables do so."""
    done = mwe("--target", "cuda", **variables)
    assert done.returncode == 3
    assert message in done.stderr


def test_a_driver_that_does_not_start_is_named_with_its_error(build_driver):
    """The error has a name, as after an update of the driver without a restart."""
    done = mwe("--target", "cuda", NUMBA_CUDA_DRIVER=build_driver(803, 0))
    assert done.returncode == 3
    assert "no CUDA driver: cuInit of" in done.stderr
    assert "failed with CUDA_ERROR_PLANTED (803)" in done.stderr


@pytest.mark.parametrize(("init_status", "n_devices"), [(100, 0), (0, 0)])
def test_a_driver_without_a_device_is_told_from_no_driver(build_driver, init_status, n_devices):
    """The line says what hides the devices."""
    driver = build_driver(init_status, n_devices)
    done = mwe("--target", "cuda", NUMBA_CUDA_DRIVER=driver, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 3
    assert "no CUDA device: the driver sees none (CUDA_VISIBLE_DEVICES is '')" in done.stderr


def test_a_driver_that_numba_cannot_use_is_no_traceback(build_driver):
    """A driver that can only start and count a device gives one line."""
    done = mwe("--target", "cuda", NUMBA_CUDA_DRIVER=build_driver(0, 1))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("mwe: numba cannot use the CUDA driver: ")
    assert done.stderr.count("\n") == 1


def test_the_check_says_for_programs_what_is_missing(build_driver):
    """Its JSON tells driver and device apart; the simulator needs neither."""

    def missing(*arguments, **variables):
        done = mwe("--check", "--json", *arguments, **variables)
        return done.returncode, json.loads(done.stdout)["missing"]

    assert missing("--target", "cuda", NUMBA_CUDA_DRIVER=NO_SUCH_DRIVER) == (3, "driver")
    assert missing("--target", "cuda", NUMBA_CUDA_DRIVER=build_driver(100, 0)) == (3, "device")
    assert missing("--target", "simulator") == (0, None)
