"""Errors that reach the user as one line, without a traceback."""


class UserError(ValueError):
    """Something the user can mend; the message names thing, rule, value and cure."""


class FootageError(UserError):
    """Footage that cannot be opened or read."""


class ModelFileError(UserError):
    """A model file that is missing, foreign, damaged or of a newer format."""
