"""``footage review`` from its start to Ctrl-C: the links, the browser, the server.

A link lets a browser in, so it is printed on the terminal and nowhere else.  Other users of this
machine can read the arguments of every program.  So a browser that is opened here is not given the
link, but a file that only its owner can read, and that leads to the link.  The file is deleted as
soon as a link was used.
"""

from __future__ import annotations

import html
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline import publishing
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import StageError, UsageError, reason_of
from pipeline.ledger import Ledger
from pipeline.review.access import Reviewers
from pipeline.review.listening import Listening, check
from pipeline.review.web import ReviewServer
from pipeline.workspace import Workspace

_REDIRECT = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url={link}">
<title>Footage review</title>
<p><a href="{link}">Open the review</a></p>
"""


@dataclass(frozen=True)
class ReviewOptions:
    """How a review is served.

    ``opens`` opens the first link in the browser of this machine; ``started`` is called with the
    server once it answers, and its ``shutdown`` ends the review.
    """

    reviewers: Reviewers = field(default_factory=Reviewers)
    listening: Listening = field(default_factory=Listening)
    opens: bool = False
    started: Callable[[ReviewServer], None] = lambda _: None


def serve(config: Config, console: Console, options: ReviewOptions) -> None:
    """Serve the review until it is interrupted.

    :raises UsageError: there is no workspace yet.
    :raises LedgerError: the ledger can't be opened.
    :raises UsageError: other machines could reach a review for anybody, or the certificate can't
        be used.
    :raises StageError: the port is taken.
    """
    workspace = Workspace.existing(config.root)
    listening = _with_certificate(options, workspace)
    with Ledger(workspace.ledger):
        pass  # it can be opened
    with _redirecting_file(workspace) as redirect:

        def announce(sentence: str) -> None:
            redirect.unlink(missing_ok=True)
            console.warn(sentence)  # also with --quiet: without a link nobody can open the review

        try:
            server = ReviewServer(config, options.reviewers, announce, listening)
        except OSError as error:
            raise StageError(
                f"{listening.address}, port {listening.port} can't be used: {reason_of(error)}; "
                "name another with --port or --bind"
            ) from error
        with server:
            try:
                console.say("review: decisions are written at once; end it with Ctrl-C")
                if listening.certificate is not None:
                    console.warn(f"the certificate's SHA-256 is {listening.fingerprint()}")
                for name, link in server.access.links.items():
                    console.warn(f"open {link}{_for_whom(name, options.reviewers)}")
                if options.opens:
                    publishing.write_text(
                        redirect, _REDIRECT.format(link=html.escape(server.access.link))
                    )
                    threading.Thread(target=_open, args=(redirect, console), daemon=True).start()
                threading.Thread(target=options.started, args=(server,), daemon=True).start()
                server.serve_forever(poll_interval=0.2)
            except KeyboardInterrupt:
                console.say("review ended")


def _for_whom(name: str, reviewers: Reviewers) -> str:
    """Say who a link is for, and their role; "" if it is for anybody."""
    return f" as {name} ({reviewers.roles[name]})" if name else ""


def _with_certificate(options: ReviewOptions, workspace: Workspace) -> Listening:
    """Check what was asked for, and make a certificate where one is needed and none was given."""
    asked = options.listening
    check(asked, options.reviewers.roles)
    if asked.is_loopback or asked.certificate is not None:
        return asked
    try:
        from pipeline.review import certificate  # noqa: PLC0415 - the optional parts
    except ImportError as error:
        raise UsageError(
            "to make a certificate, the optional parts are needed (make extras); or give your own "
            "with --certificate and --key"
        ) from error
    made, key = certificate.own(workspace.root / "tls", asked.name)
    return replace(asked, certificate=made, key=key)


@contextmanager
def _redirecting_file(workspace: Workspace) -> Iterator[Path]:
    """Give the path of a file that only its owner can read, and that is gone after the block.

    It is in the workspace, because a browser in a container of its own (snap, Flatpak) sees
    neither the folder for temporary files nor that of the session.
    """
    with publishing.scratch_folder(workspace.cache) as folder:
        yield folder / "review.html"


def _open(redirect: Path, console: Console) -> None:
    """Open the browser; a browser for terminals would hold this thread until it ends."""
    if not webbrowser.open(redirect.as_uri()):
        console.warn("no browser could be started here; open the link yourself")
