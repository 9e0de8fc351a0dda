"""The Message-IDs of our letters and receipts: each names the mail that the letter is about.

An answer names the Message-ID of what it answers.  So the mail that it is about is found without a
record of the letter, also if an older ledger was put back.
"""

import re
from email.utils import make_msgid

_OURS = re.compile(r"<\d{1,20}\.\d{1,10}\.\d{1,20}\.([0-9A-Za-z_-]{1,64})@[^<>@\s]+>")


def made(submission: str, sender: str) -> str:
    """Make a Message-ID for a letter about a submission.

    :param sender: the address from which the letter is sent.
    """
    return make_msgid(submission, domain=sender.rpartition("@")[2])


def submission_in(message_id: str) -> str:
    """The id of a submission in a Message-ID of ours; "" if it has another form."""
    found = _OURS.fullmatch(message_id)
    return found[1] if found else ""
