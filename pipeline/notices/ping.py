"""Call an address at the start and at the end of a night.

The convention is that of healthchecks.io (healthchecks.io/docs/http_api): ``URL/start``, then
``URL/CODE`` with the exit code, each with ``?rid=UUID``, so that the service can measure how long
the night took.  A night without an end, for example of a machine without power, is found by the
service, because no call came.
"""

import http.client
import urllib.error
import urllib.request

from pipeline.time_limit import within

_TIMEOUT_S = 10.0
_TRIES = 2


def call(address: str, step: str, run: str, text: str = "") -> str:
    """Call *address* and say what went wrong, or "" if nothing did.

    :param step: "start", or the exit code.
    :param run: a UUID that is the same for the start and the end of a night.
    """
    request = urllib.request.Request(  # noqa: S310 - the configuration takes http(s) only
        f"{address}/{step}?rid={run}", text.encode(), {"Content-Type": "text/plain; charset=utf-8"}
    )
    fault = ""
    for _ in range(_TRIES):
        try:
            within(_TIMEOUT_S, lambda: _sent(request))
        except urllib.error.HTTPError as error:
            error.close()
            return f"the server answers with HTTP {error.code}"
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            fault = f"the server can't be reached ({type(reason).__name__})"
        except http.client.HTTPException as error:
            return f"the server does not speak HTTP ({type(error).__name__})"
        else:
            return ""
    return fault


def _sent(request: urllib.request.Request) -> None:
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        answer.read(1)
