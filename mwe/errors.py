"""The errors of the reproducer: one base, and one class for each exit status that they lead to."""


class MweError(Exception):
    """The base of every error that the reproducer raises on purpose; its text is one line."""


class BadArgumentError(MweError):
    """An argument names something that does not exist or does not fit; exit status 2."""


class HarnessError(MweError):
    """The harness could not run a trial, so nothing was measured; exit status 3.

    A harness error is never an outcome: it says nothing about upstream.
    """
