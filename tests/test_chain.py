"""The chain of custody: an event for each thing that happens, and every change of one is seen."""

from __future__ import annotations

import hashlib
import itertools
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.ledger_scene import LedgerScene, attachment, decide, opened, refused, result, sha

from pipeline import clock
from pipeline.errors import LedgerError
from pipeline.history import ChainHead, CustodyEvent, EventKind, MontageRecord
from pipeline.model import Decision, Filed, MailIdentity, OriginalState, Reason, Review


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[LedgerScene]:
    with opened(tmp_path / "work") as scene:
        yield scene


def changed(campaign: LedgerScene, *statements: str) -> None:
    """Change the file as somebody does who does not ask the ledger."""
    with closing(sqlite3.connect(campaign.workspace.ledger)) as db, db:
        triggers = db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)


def lived(campaign: LedgerScene) -> list[CustodyEvent]:
    """A clip from its mail to its withdrawal; the events behind the first one."""
    ledger, one, two = campaign.ledger, sha("one"), sha("two")
    ledger.runs.start("r1", "run")
    submission = campaign.mail(attachment("one"), attachment("two", 1), attachment("one", 2))
    ledger.chain.note_program("ffmpeg", "9.0", sha("ffmpeg"))
    ledger.chain.note_program("ffmpeg", "9.0", sha("ffmpeg"))
    campaign.clip(result("one"))
    campaign.clip(refused("two", Reason.CORRUPT, "no picture"))
    ledger.clips.describe(result("one", category="dance"))
    ledger.intake.set_filed([MailIdentity("eml:inbox", "INBOX", 1, "0")], Filed.ASKED)
    ledger.intake.set_filed([MailIdentity("eml:inbox", "INBOX", 1, "0")], Filed.YES)
    decide(ledger, one, Review(Decision.APPROVED, "Maria, Main Street 5", "Ana"))
    ledger.reviews.set_handled([submission], "Ana")
    ledger.reviews.set_handled([submission], "Ben")
    film = MontageRecord("montage/m.mp4", "key", sha("film"), (one,), "2026-09-01T00:00:00Z")
    ledger.runs.record_montage(film)
    ledger.runs.record_export(sha("timeline"), "otio", [one])
    ledger.clips.forget([two, sha("unknown")])
    ledger.custody.set_state(two, OriginalState.PURGED)
    ledger.custody.set_state(two, OriginalState.PURGED)
    ledger.custody.set_state(two, OriginalState.KEPT)
    ledger.custody.withdraw([one])
    return list(ledger.chain.events())[1:]


def test_all_that_happens_has_its_event(campaign: LedgerScene) -> None:
    events = lived(campaign)
    one, two = sha("one"), sha("two")
    assert [(event.kind, event.subject) for event in events] == [
        ("run", ""),
        ("received", "s00000"),
        ("stored", one),
        ("stored", two),
        ("repeated", one),
        ("program", ""),
        ("made", one),
        ("refused", two),
        ("moved", "s00000"),
        ("decided", one),
        ("handled", "s00000"),
        ("rendered", sha("film")),
        ("exported", sha("timeline")),
        ("forgotten", two),
        ("purged", two),
        ("returned", two),
        ("withdrawn", one),
    ]
    facts = {event.kind: event.facts for event in events}
    assert facts["received"]["raw"] == sha("raw mail 0")
    assert facts["made"]["outputs"] == {"landscape": sha("output of one")}
    assert facts["program"]["sha256"] == sha("ffmpeg")
    assert facts["rendered"]["clips"] == [one]
    assert {event.facts["run"] for event in events} == {"r1"}


def test_events_hold_no_words(campaign: LedgerScene) -> None:
    lived(campaign)
    with closing(sqlite3.connect(campaign.workspace.ledger)) as db:
        stored = json.dumps(db.execute("SELECT * FROM event").fetchall())
    for word in ("maria", "example.org", "photo action", "clip. You", ".mov", "Main Street", "Ana"):
        assert word.casefold() not in stored.casefold()


def test_the_hash_can_be_computed_by_anybody(campaign: LedgerScene) -> None:
    """As docs/custody.md says."""
    lived(campaign)
    with closing(sqlite3.connect(campaign.workspace.ledger)) as db:
        before = "0" * 64
        for *link, stored in db.execute("SELECT * FROM event ORDER BY number"):
            assert link[-1] == before
            text = json.dumps(link, separators=(",", ":"))
            before = hashlib.sha256(text.encode("ascii")).hexdigest()
            assert stored == before
    assert campaign.ledger.chain.head().hash == before


def test_a_change_and_its_event_are_one_transaction(campaign: LedgerScene) -> None:
    head = campaign.ledger.chain.head()
    changed(campaign, "ALTER TABLE clip RENAME TO gone")
    with pytest.raises(LedgerError):
        campaign.ledger.clips.record(result("one"))
    changed(campaign, "ALTER TABLE gone RENAME TO clip", "ALTER TABLE event RENAME TO gone")
    with pytest.raises(LedgerError):
        campaign.ledger.clips.record(result("one"))
    changed(campaign, "ALTER TABLE gone RENAME TO event")
    assert campaign.ledger.chain.head() == head
    assert campaign.ledger.clips.results() == {}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET at = '2020-01-01T00:00:00Z' WHERE number = 3",
        "DELETE FROM event WHERE number = 3",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event SELECT 3, at, kind, subject, '{}', before, hash FROM event",
        "INSERT INTO event SELECT 99, at, kind, subject, facts, before, hash FROM event LIMIT 1",
    ],
)
def test_the_ledger_refuses_to_change_an_event(campaign: LedgerScene, statement: str) -> None:
    lived(campaign)
    with (
        closing(sqlite3.connect(campaign.workspace.ledger)) as db,
        pytest.raises(sqlite3.IntegrityError, match="never changed"),
    ):
        db.execute(statement)
    assert campaign.ledger.chain.breaks() == []


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE event SET at = '2020-01-01T00:00:00Z' WHERE number = 3", 3),
        ("UPDATE event SET kind = 'purged' WHERE number = 5", 5),
        ("UPDATE event SET subject = substr(subject, 2) WHERE number = 4", 4),
        ("UPDATE event SET facts = replace(facts, 'size', 'sise') WHERE number = 4", 4),
        ("UPDATE event SET facts = 'no JSON' WHERE number = 4", 4),
        ("UPDATE event SET hash = 'f' || substr(hash, 1, 63) WHERE number = 6", 6),
        ("UPDATE event SET before = hash WHERE number = 7", 7),
        ("DELETE FROM event WHERE number = 8", 8),
        ("DELETE FROM event WHERE number < 3", 1),
        ("DELETE FROM event", 1),
        ("UPDATE event SET number = number + 1 WHERE number = 18", 18),
    ],
)
def test_a_changed_event_is_found(campaign: LedgerScene, statement: str, number: int) -> None:
    lived(campaign)
    assert campaign.ledger.chain.breaks() == []
    changed(campaign, statement)
    assert campaign.ledger.chain.breaks()[0].number == number
    list(campaign.ledger.chain.events())
    campaign.ledger.chain.events_of([sha("one")])


def test_an_event_with_a_new_hash_breaks_the_next_one(campaign: LedgerScene) -> None:
    lived(campaign)
    with closing(sqlite3.connect(campaign.workspace.ledger)) as db:
        *link, _ = db.execute("SELECT * FROM event WHERE number = 4").fetchone()
    link[3] = sha("another")
    new = hashlib.sha256(json.dumps(link, separators=(",", ":")).encode()).hexdigest()
    changed(campaign, f"UPDATE event SET subject = '{link[3]}', hash = '{new}' WHERE number = 4")
    (broken,) = campaign.ledger.chain.breaks()
    assert broken.number == 5


def test_a_cut_end_shows_by_a_head_that_was_kept(campaign: LedgerScene) -> None:
    lived(campaign)
    chain = campaign.ledger.chain
    head = chain.head()
    assert chain.holds(head)
    changed(campaign, "DELETE FROM event WHERE number > 12")
    assert chain.breaks() == []
    assert not chain.holds(head)
    assert chain.holds(ChainHead(chain.head().number, chain.head().hash))


def test_the_events_of_a_clip_are_found(campaign: LedgerScene) -> None:
    lived(campaign)
    kinds = [event.kind for event in campaign.ledger.chain.events_of([sha("one"), "s00000"])]
    assert kinds == [
        *("received", "stored", "stored", "repeated", "made", "moved", "decided", "handled"),
        *("rendered", "exported", "withdrawn"),
    ]
    chosen = campaign.ledger.chain.events(EventKind.DECIDED, EventKind.RUN)
    assert [event.kind for event in chosen] == ["run", "decided"]


def test_an_original_has_the_time_of_its_event_though_the_clock_is_set(
    campaign: LedgerScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = itertools.cycle(("2026-09-01T00:00:00Z", "2026-09-03T00:00:00Z"))
    monkeypatch.setattr(clock, "now", lambda: next(days))
    campaign.mail(attachment("late"))
    campaign.ledger.custody.set_state(sha("late"), OriginalState.PURGED)
    campaign.ledger.custody.set_state(sha("late"), OriginalState.KEPT)
    told = [event.at for event in campaign.ledger.chain.events() if event.subject == sha("late")]
    with closing(sqlite3.connect(campaign.workspace.ledger)) as database:
        (stored,) = database.execute(
            "SELECT stored_at FROM original WHERE sha256 = ?", [sha("late")]
        ).fetchone()
    assert stored == told[-1]


def test_a_decision_binds_the_entry_of_the_trail(campaign: LedgerScene) -> None:
    lived(campaign)
    (event,) = campaign.ledger.chain.events(EventKind.DECIDED)
    assert campaign.ledger.reviews.trail_digests() == {1: event.facts["entry"]}
    changed(campaign, "UPDATE decision_trail SET by = 'Eve'")
    assert campaign.ledger.reviews.trail_digests() != {1: event.facts["entry"]}
