"""A limit on the whole time of a call to a server."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """Give what *call* returns or raises.

    The time limit of a socket is for each read only, so a server that sends a byte a second is
    never too slow for it, and nothing limits the search for the name of a host.  So the call is
    made by a thread, which nobody waits for when the time is over.

    :raises TimeoutError: it did not end within the seconds.
    """
    returned: list[T] = []
    raised: list[Exception] = []

    def caught() -> None:
        try:
            returned.append(call())
        except Exception as error:  # noqa: BLE001 - the caller gets it
            raised.append(error)

    thread = threading.Thread(target=caught, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if raised:
        raise raised[0]
    if not returned:
        raise TimeoutError(f"no answer within {seconds:.0f} s")
    return returned[0]
