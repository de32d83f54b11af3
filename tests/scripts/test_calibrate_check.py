"""The calibration of the weekly check tells artefacts, alarms and broken controls apart."""

from __future__ import annotations

from scripts.calibrate_check import WEEKS, count_alarms


def test_controls_that_fail_as_often_leave_every_week_without_an_answer():
    """At one failure in ten trials of everything each week has neither alarm nor answer."""
    n_alarmed, n_failing, n_unanswered = count_alarms(2, 470, 0.1)
    assert n_failing == n_unanswered == 2 * WEEKS
    assert n_alarmed == 0


def test_artefacts_raise_none():
    """Of five years with an artefact in three of four weeks none has an alarm."""
    # By the threshold's arithmetic the chance is below 5 %; the seed is fixed.
    n_alarmed, n_failing, _ = count_alarms(5, 470, 1e-4)
    assert n_alarmed == 0
    assert n_failing > WEEKS


def test_failures_that_no_artefact_explains_raise_the_alarm():
    """At two in a thousand trials some week's controls are silent and a revision is not."""
    n_alarmed, _, _ = count_alarms(2, 470, 2e-3)
    assert n_alarmed > 0
