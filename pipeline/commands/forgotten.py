"""Acts of people that an older ledger has forgotten, each with the command that repeats it.

Only acts are named by which less is shown, sent or deleted.  If an approval or a consent is
forgotten, the clip stays out of a film, and a person sees that.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline import consent
from pipeline.commands.difference import Difference, DifferenceKind
from pipeline.consent import Consent
from pipeline.history import EventKind
from pipeline.ledger import Ledger
from pipeline.ledger.acts import KeptAct
from pipeline.ledger.reviews import facts_of
from pipeline.model import Decision, OriginalState, Review

# the strictest first
_DECISIONS = (Decision.REJECTED, Decision.HELD, Decision.UNDECIDED, Decision.APPROVED)
_VERBS = {Decision.REJECTED: "reject", Decision.HELD: "hold", Decision.UNDECIDED: "hold"}


def forgotten_acts(
    root: Path, ledger: Ledger, acts: Mapping[tuple[str, str], KeptAct]
) -> Iterator[Difference]:
    """Name each act that the ledger does not have, and that nobody has repeated or replaced.

    :param root: of the workspace.
    :param acts: the newest of each sort on each subject, as the files beside the ledger have them.
    """
    states = ledger.custody.states(skips=True)
    reviews = ledger.reviews.current(skips=True)
    entries = ledger.consents.entries(skips=True).values()
    agreed = {each.submission: each.consent for each in entries}
    kept, handled = ledger.custody.case_digests(), ledger.reviews.handled()
    known = {*states, *ledger.intake.ids()}
    for act in acts.values():
        is_gone = (EventKind.WITHDRAWN, act.subject) in acts
        command = ""
        match act.kind:
            case EventKind.WITHDRAWN if states.get(act.subject) is not OriginalState.WITHDRAWN:
                command = f"withdraw --clip {act.subject}"
            case EventKind.CONSENT:
                command = _consent(act, agreed.get(act.subject, Consent.UNKNOWN))
            case EventKind.DECIDED if not is_gone:
                command = _decision(act, reviews.get(act.subject, Review()))
            case EventKind.CASE_OPENED if act.subject not in kept:
                command = f"keep {act.subject} --why REASON"
            case EventKind.HANDLED if act.value == "True" and act.subject not in handled:
                command = f"handled {act.subject}"
            case EventKind.HANDLED if act.value == "False" and act.subject in handled:
                command = f"handled --undo {act.subject}"  # the mail holds clips again
        if command and not ledger.chain.holds(act.head):
            yield Difference(
                DifferenceKind.ACT_FORGOTTEN
                if act.subject in known
                else DifferenceKind.ACT_UNKNOWN,
                act.path.relative_to(root).as_posix(),
                act.subject if len(act.subject) == 64 else "",
                act.head.number,
                f"footage {command}",
                act.changed,
            )


def _consent(act: KeptAct, current: Consent) -> str:
    """The command that records a consent again if it is stricter than the *current* one."""
    if act.value not in set(Consent):
        return ""  # a withdrawal deleted it
    wanted = Consent(act.value)
    is_stricter = wanted is not current and consent.combined((wanted, current)) is wanted
    return f"consent {act.subject} --set {wanted}" if is_stricter else ""


def _decision(act: KeptAct, current: Review) -> str:
    """The command that decides again if the decision is stricter than the *current* one.

    What else was changed is not known, only its hash, so a person has to look at the clip.  What
    was taken off, such as a mask, is still on the clip: nothing more is shown.  A caption is
    different, since words that were taken off are shown again.
    """
    if act.changed:
        is_other = facts_of(act.subject, current)[act.changed] != act.value
        return "review" if is_other and (act.value or act.changed == "caption") else ""
    wanted = Decision(act.value) if act.value in set(Decision) else current.decision
    is_stricter = _DECISIONS.index(wanted) < _DECISIONS.index(current.decision)
    return f"{_VERBS[wanted]} {act.subject}" if is_stricter else ""
