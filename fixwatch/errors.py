"""The errors of Fixwatch: one base, worded as condition and remedy in one line."""


class FixwatchError(Exception):
    """The base of every error that Fixwatch raises on purpose."""

    exit_status = 2  # of the command line


class NoResultsError(FixwatchError):
    """There is nothing measured to answer from."""

    exit_status = 3


class CouldNotMeasureError(FixwatchError):
    """A measurement could not be made; nothing is known from it."""

    exit_status = 3


class RefusedResultsError(FixwatchError):
    """Some of the results that were to be merged are not what they should be."""

    exit_status = 5
