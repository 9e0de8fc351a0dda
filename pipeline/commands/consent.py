"""``footage consent``: record what senders agreed to, or list it.

It takes no lock of the workspace: it is one short transaction, so it works while a run goes on.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline import addressees, correspondence
from pipeline.commands.ending import Ending, Facts
from pipeline.commands.older_ledger import opened_ledger
from pipeline.config import Config
from pipeline.consent import Consent, ConsentRecord
from pipeline.console import Console
from pipeline.errors import UsageError
from pipeline.ledger import Ledger
from pipeline.model import Note, Row, Submission
from pipeline.review import consents, rules
from pipeline.review.consents import ConsentEntry
from pipeline.review.entries import InvalidEntry
from pipeline.wording import counted, shown_sender

_SHA = re.compile("[0-9a-f]{4,64}")


@dataclass(frozen=True)
class ConsentCall:
    """What the command was called with.

    ``what``: ids of submissions, beginnings of SHA-256, or addresses; ``consent`` is empty to
    list only.
    """

    what: Sequence[str]
    consent: str = ""
    name: str = ""
    place: str = ""
    by: str = ""


def record(config: Config, console: Console, call: ConsentCall) -> Ending:
    """Record the consent of submissions, or list what is recorded.

    :raises UsageError: there is no workspace, an argument names no footage, or what is to be
        recorded is not possible.  Then nothing is recorded.
    """
    if call.consent and not call.what:
        raise UsageError("name the mails, the clips or the addresses that it is for")
    if not call.consent and (call.name or call.place):
        raise UsageError("--name and --place need --set yes-with-name")
    with opened_ledger(config, console) as ledger:
        rows = ledger.clips.rows()
        is_no = call.consent == Consent.NO
        found = [_found(ledger, rows, what, is_no=is_no) for what in call.what]
        apart: dict[str, str] = {}
        if call.consent and call.consent != Consent.NO:
            found, apart = _without_doubtful(ledger, found)
            _check_senders(config, ledger, found)
        wanted = list(dict.fromkeys(each for named in found for each in named.mails))
        if not call.consent:
            return _listed(config, ledger, rows, wanted)
        try:
            entered = ConsentEntry.of(call.consent, call.name, call.place, call.by)
            with ledger.transaction():
                done = {each: consents.record(ledger, each, entered) for each in wanted}
        except InvalidEntry as error:
            raise UsageError(f"{error}; nothing was recorded") from error
        films = _films_without_consent(config, ledger)
    for each, (before, after) in done.items():
        console.say(f"{each} {before.consent} -> {after.consent}")
    for line in apart.values():
        console.warn(line)
    for path in films:
        console.warn(f"{path} shows footage without consent: do not publish it; footage render")
    facts: Facts = {
        "consent": call.consent,
        "submissions": wanted,
        "changed": [each for each, (before, after) in done.items() if before is not after],
        "left": list(apart),
        "films": films,
    }
    return Ending(0, facts)


@dataclass(frozen=True)
class _Named:
    """The submissions that an argument names, and whether it is the id of one."""

    mails: Sequence[str]
    is_id: bool = False


def _without_doubtful(
    ledger: Ledger, found: Sequence[_Named]
) -> tuple[list[_Named], dict[str, str]]:
    """Leave out mails that somebody else may have sent; only their ids name them.

    :returns: what is left, and a sentence for each mail that was left out, by its id.
    :raises UsageError: nothing is left.
    """
    mails = {mail.id: mail for mail in ledger.intake.submissions()}
    by_id = {each for named in found if named.is_id for each in named.mails}
    doubtful = {
        each: f"{each} stays as it is: {_doubt(mails[each])}. Read it; if it is from its sender, "
        "name it by this id"
        for named in found
        for each in named.mails
        if each not in by_id and correspondence.is_of_doubtful_sender(mails[each])
    }
    left = [
        replace(named, mails=[each for each in named.mails if each not in doubtful])
        for named in found
    ]
    if not any(named.mails for named in left):
        raise UsageError(f"{'; '.join(doubtful.values())}; nothing was recorded")
    return left, doubtful


def _doubt(mail: Submission) -> str:
    """Why somebody else than its sender may have written a mail."""
    if Note.NOT_AUTHENTIC in mail.notes:
        return "its sender's address may be forged"
    if Note.BOUNCE in mail.notes:
        return "it came back from a mail server, and anybody can write such a mail"
    return "it came by a list, in bulk or from several senders"


def _check_senders(config: Config, ledger: Ledger, found: Iterable[_Named]) -> None:
    """Refuse a consent for the mails of several people at once: nobody agrees for somebody else.

    A "no" may be for all of them.  Any other consent may replace the "no" of somebody else.

    :raises UsageError: the mails of an argument came from several senders, or from unknown ones.
    """
    mails = {mail.id: mail for mail in ledger.intake.submissions()}
    for ids in (named.mails for named in found):
        senders = {addressees.person(mails[each].sender) for each in ids}
        if len(ids) > 1 and (len(senders) > 1 or "" in senders):
            shown = _shown_senders(config, ledger, ids)
            named = "; ".join(" ".join(filter(None, (each, shown[each]))) for each in ids)
            raise UsageError(
                f"these bytes came in {len(ids)} mails: {named}. One sender can't agree for "
                "another: name the mail that the consent is for; nothing was recorded"
            )


def _shown_senders(config: Config, ledger: Ledger, ids: Iterable[str]) -> dict[str, str]:
    """The senders of some mails, as far as the configuration shows them."""
    mails = {mail.id: mail for mail in ledger.intake.submissions()}
    numbers = ledger.intake.sender_numbers()
    shown = {}
    for each in ids:
        sender = mails[each].sender
        number = numbers.get(addressees.person(sender))
        shown[each] = shown_sender(sender, config.report.sender, number)
    return shown


def _films_without_consent(config: Config, ledger: Ledger) -> list[str]:
    """The montages that show a clip which has no consent (any more)."""
    needs = config.review.needs_consent
    out = {row.sha256 for row in rules.without_consent(ledger.clips.rows(), needs_consent=needs)}
    return ledger.custody.montages_with(sorted(out))


def _found(ledger: Ledger, rows: Sequence[Row], what: str, *, is_no: bool) -> _Named:
    """The submissions that an argument names: by an address, an id, or the SHA-256 of a clip.

    :param is_no: for a "no", an address also names others that may have the same owner.
    """
    wanted = what.strip()
    if "@" in wanted:
        owner = addressees.mailbox if is_no else addressees.person
        with_footage = {row.submission for row in rows}
        found = [
            mail.id
            for mail in ledger.intake.submissions()
            if owner(mail.sender) == owner(wanted) and mail.id in with_footage
        ]
        if not found:
            # without the address: the terminal's log may be kept
            raise UsageError("no footage came from this address; nothing was recorded")
        return _Named(found)
    ids = [mail.id for mail in ledger.intake.submissions() if mail.id.startswith(wanted)]
    shas = ledger.custody.matching(wanted.lower()) if _SHA.fullmatch(wanted.lower()) else []
    if not wanted or len(ids) + len(shas) != 1:
        count = "more than one mail or clip" if wanted and ids + shas else "no mail and no clip"
        raise UsageError(f"{count} has an id that begins with {what!r}; nothing was recorded")
    if ids:
        return _Named(ids, is_id=True)
    return _Named(list(dict.fromkeys(row.submission for row in rows if row.sha256 == shas[0])))


def _listed(config: Config, ledger: Ledger, rows: Sequence[Row], wanted: Sequence[str]) -> Ending:
    """The consents of *wanted*, or of all mails with a clip that somebody can decide on."""
    current = ledger.consents.current()
    mails = {mail.id: mail for mail in ledger.intake.submissions()}
    decidable = {row.sha256 for row in rows if rules.is_decidable(row)}
    # also the mails that brought the same bytes again: their senders must agree too
    brought = [row.submission for row in rows if row.sha256 in decidable]
    chosen = wanted or list(dict.fromkeys([*brought, *current]))
    listed = [current.get(each, ConsentRecord(each)) for each in chosen if each in mails]
    senders = _shown_senders(config, ledger, (each.submission for each in listed))
    doubts = {
        each.submission: _doubt(mails[each.submission])
        for each in listed
        if correspondence.is_of_doubtful_sender(mails[each.submission])
    }
    facts: Facts = {
        "consents": [
            {
                "submission": each.submission,
                **consents.as_data(each),
                "doubtful": each.submission in doubts,
            }
            for each in listed
        ]
    }
    return Ending(0, facts, tuple(_lines(listed, senders, doubts)))


def _lines(
    listed: Sequence[ConsentRecord], senders: Mapping[str, str], doubts: Mapping[str, str]
) -> Iterator[str]:
    for each in listed:
        name = f" ({each.credit})" if each.credit else ""
        by = f", recorded {each.at} by {each.by or 'nobody'}" if each.at else ""
        sender = senders[each.submission]
        doubt = f" ({doubts[each.submission]})" if each.submission in doubts else ""
        yield f"{each.submission}{f' {sender}' if sender else ''}: {each.consent}{name}{by}{doubt}"
    silent = sum(each.consent in (Consent.UNKNOWN, Consent.ASKED) for each in listed)
    yield f"{counted(len(listed), 'mail')}, {silent} of them without an answer on consent"
