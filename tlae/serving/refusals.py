"""What a client is refused, with the status that HTTP has for it."""

from tlae.errors import UserError


class Refused(UserError):
    """A request that is not answered.

    Args:
        status: of HTTP, 400 to 499.
        message: one sentence: thing, rule, value, cure.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def not_found(thing: str, name: str, within: str = "") -> Refused:
    """A thing that there is not.

    Args:
        thing: model, session, job or event.
        name: that was asked for.
        within: part of the address before the list of such things, as /sessions/3f9a12bc.
    """
    shown = name if len(name) <= 60 else f"{name[:60]}..."
    return Refused(404, f"no {thing} has the id {shown!r}; list them at /api{within}/{thing}s")
