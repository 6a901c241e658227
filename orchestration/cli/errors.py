"""Errors a person can do something about."""


class FriendlyError(RuntimeError):
    """The message says what is wrong and what to do next."""
