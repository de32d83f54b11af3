"""What an install leaves in its environment, and what is read of it."""

from __future__ import annotations

import pytest

from fixwatch.records.install_record import FILE_NAME, InstallRecord, read_install_record

RECORD = InstallRecord(commit="c", upstream="numba", name="0.57.0", date="d")


def test_the_record_of_an_environment_comes_back_as_it_was(tmp_path):
    """What is written is read again."""
    RECORD.write(tmp_path)
    assert read_install_record(tmp_path) == RECORD


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": 1, "more": 1}'])
def test_a_damaged_record_is_none(tmp_path, text):
    """Nothing is known of the environment, so the revision is installed again."""
    (tmp_path / FILE_NAME).write_text(text)
    assert read_install_record(tmp_path) is None


def test_a_record_of_another_program_is_none(tmp_path):
    """Fields of another version may mean something else."""
    assert read_install_record(tmp_path) is None
    RECORD.write(tmp_path)
    path = tmp_path / FILE_NAME
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    assert read_install_record(tmp_path) is None
