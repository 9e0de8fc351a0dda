"""A ledger of an older version is migrated with nothing lost; a newer one is not touched.

``data/ledger-v1.db`` was made by the first version of the program: its demo, then reviews by
three people with two undone acts, a withdrawal and another run.  ``data/ledger-v1.json`` is
what that version read from it.  ``data/ledger-v3.db`` was made by the demo of the third version,
``data/ledger-v4.db`` by that of the fourth, with three decisions and a withdrawal after it,
``data/ledger-v5.db`` by the demo of the fifth, ``data/ledger-v6.db`` by that of the sixth, with two
decisions after it, ``data/ledger-v7.db`` is that one after the seventh has recorded a mask and a
receipt, ``data/ledger-v8.db`` is that one after the eighth has recorded a sender's no.
"""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import publishing
from pipeline.consent import Consent
from pipeline.errors import LedgerError
from pipeline.history import EventKind, TrailEntry
from pipeline.ledger import Ledger
from pipeline.ledger.connection import Connection
from pipeline.ledger.hashing import digest_of_tables
from pipeline.ledger.migrations import MIGRATIONS
from pipeline.ledger.reviews import stored
from pipeline.model import Attachment, ClipResult, Review, Row, Submission
from pipeline.protection import Mask, MaskPoint, Need, Protect
from pipeline.review import live
from pipeline.texts import Detail

DATA = Path(__file__).parent / "data"
NEWEST = len(MIGRATIONS)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A ledger of version 1."""
    path = tmp_path / "ledger.db"
    shutil.copy(DATA / "ledger-v1.db", path)
    path.chmod(0o600)
    return path


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def held(path: Path) -> dict[str, str]:
    """The files of a folder by name, each as the SHA-256 of its bytes."""
    return {each.name: publishing.sha256_of(each) for each in path.parent.iterdir()}


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, sort_keys=True))


def as_before(row: Row) -> dict[str, Any]:
    """A row as the first version had it: refusals with a sentence, likeness among the warnings."""
    values = asdict(row)
    assert values["attachment"].pop("pair") is None
    assert values.pop("pair") is None
    assert not values.pop("held_by")
    assert (values.pop("consent"), values.pop("credit")) == (Consent.UNKNOWN, "")
    assert values.pop("own_consent") == Consent.UNKNOWN
    assert not values.pop("is_hidden_with_film")
    assert values.pop("has_original") in (True, False)  # by the state, which is compared below
    values["review"] = stored(row.review)
    if row.result and row.result.source:
        source = values["result"]["source"]
        assert (source.pop("missing_percent"), source.pop("faces")) == (None, None)
        for output in values["result"]["outputs"]:
            names = ("hides", "faces", "still", "fit", "still_motion")
            assert {output.pop(name) for name in names} == {""}
    holders: list[tuple[dict[str, Any], Row | Attachment | ClipResult]] = [
        (values, row),
        (values["attachment"], row.attachment),
    ]
    if row.result:
        holders.append((values["result"], row.result))
        other = values["result"].pop("looks_like")
        values["result"]["warnings"] += (f"looks-like:{other}",) if other else ()
    for data, record in holders:
        if record.refusal:
            assert record.refusal.code == Detail.AS_WRITTEN
            detail = record.refusal.detail
            data["refusal"] = {"reason": record.refusal.reason, "detail": detail}
    return values


def mail_as_before(mail: Submission) -> dict[str, Any]:
    """A submission as the first versions had it."""
    values = asdict(mail)
    later = {name: values.pop(name) for name in ("name", "links", "answers", "through", "inbox")}
    assert later == {"name": "", "links": (), "answers": (), "through": "", "inbox": ""}
    return values


def entry_as_before(entry: TrailEntry) -> dict[str, Any]:
    """An entry of the trail as the first versions had it: without the newer fields of a review."""
    return asdict(entry) | {"before": stored(entry.before), "after": stored(entry.after)}


def test_nothing_is_lost(old: Path) -> None:
    expected = json.loads((DATA / "ledger-v1.json").read_text("utf-8"))
    with Ledger(old) as ledger:
        assert plain([as_before(row) for row in ledger.clips.rows()]) == expected["rows"]
        mails = ledger.intake.submissions()
        assert plain([mail_as_before(mail) for mail in mails]) == expected["submissions"]
        reviews = {sha: stored(review) for sha, review in ledger.reviews.current().items()}
        assert plain(reviews) == expected["reviews"]
        assert plain(list(map(entry_as_before, ledger.reviews.trail()))) == expected["trail"]
        assert plain([asdict(film) for film in ledger.runs.montages()]) == expected["montages"]
        last = ledger.runs.last()
        assert last is not None
        assert plain(asdict(last)) == expected["last_run"]
    with closing(sqlite3.connect(old)) as db:
        db.row_factory = sqlite3.Row
        for table, key in (("mail", "mails"), ("original", "originals"), ("run", "runs")):
            rows = [dict(row) for row in db.execute(f"SELECT * FROM {table}")]
            for row in rows:
                if table == "run":
                    row["summary"] = json.loads(row["summary"])
            assert sorted(plain(rows), key=str) == sorted(expected[key], key=str)


def test_an_act_of_before_can_still_be_undone(old: Path) -> None:
    with Ledger(old) as ledger:
        trail = ledger.reviews.trail()
        assert {entry.act for entry in trail if entry.sha256 == trail[1].sha256} == {1}
        assert [entry.undoes for entry in trail if entry.undoes] == [7, 8, 6]
        undone = live.undo(ledger, "Ada").written
        assert list(undone) == [trail[11].sha256]
        assert ledger.reviews.trail()[-1].undoes == 12


def test_a_copy_of_the_old_version_is_kept(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        before = list(db.iterdump())
    with Ledger(old):
        pass
    copy = old.with_name("ledger.db.v1.bak")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert version(copy) == 1
    with closing(sqlite3.connect(copy)) as db:
        assert list(db.iterdump()) == before
    assert sorted(held(old)) == ["ledger.db", "ledger.db.v1.bak"]
    assert version(old) == NEWEST


def test_mails_of_the_third_version_can_be_marked_as_handled(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    shutil.copy(DATA / "ledger-v3.db", path)
    with Ledger(path) as ledger:
        mails = ledger.intake.submissions()
        assert len([mail_as_before(mail) for mail in mails]) == 15
        first, second = mails[0].id, mails[1].id
        assert ledger.reviews.handled() == {}
        ledger.reviews.set_handled([first, second], "Ada")
        ledger.reviews.set_handled([first], "Ben")
        ledger.reviews.set_handled([second], "Ben", handled=False)
        marks = ledger.reviews.handled()
    assert [(mark.submission, mark.by) for mark in marks.values()] == [(first, "Ada")]
    assert version(tmp_path / "ledger.db.v3.bak") == 3


def test_the_chain_of_the_fourth_version_begins_with_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    shutil.copy(DATA / "ledger-v4.db", path)
    with closing(sqlite3.connect(path)) as db:
        digest = digest_of_tables(db)
        states = dict(db.execute("SELECT sha256, state FROM original"))
        (film,) = db.execute("SELECT sha256 FROM montage").fetchone()
    with Ledger(path) as ledger:
        assert ledger.chain.breaks() == []
        first, *rest = ledger.chain.events()
        results = ledger.clips.results()
        assert {sha: ledger.custody.state(sha) for sha in states} == states
        assert ledger.reviews.trail_end() == first.facts["trail"] == 3
    assert (first.kind, first.facts["ledger"]) == (EventKind.BEGUN, digest)
    with closing(sqlite3.connect(tmp_path / "ledger.db.v4.bak")) as db:
        assert digest_of_tables(db) == digest
    assert {event.kind for event in rest} == {EventKind.CARRIED_OVER}
    carried = {event.subject: event.facts for event in rest}
    assert "withdrawn" in states.values()
    assert {sha: facts.get("state") for sha, facts in carried.items()} == states | {film: None}
    for sha256, result in results.items():
        outputs = {output.name: output.sha256 for output in result.outputs}
        assert carried[sha256]["outputs"] == outputs


def test_receipts_of_the_fifth_version_can_be_claimed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    shutil.copy(DATA / "ledger-v5.db", path)
    with Ledger(path) as ledger:
        assert ledger.chain.breaks() == []
        mail = ledger.intake.submissions()[0]
        claim = ledger.receipts.claim([mail.id], mail.sender, "2026-11-27")
        assert claim is not None
        assert ledger.receipts.claim([mail.id], mail.sender.upper(), "2026-11-27") is None
        assert ledger.receipts.submissions_of(claim.code) == (mail.id,)
    assert version(tmp_path / "ledger.db.v5.bak") == 5


def test_decisions_of_the_sixth_version_can_get_masks(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    shutil.copy(DATA / "ledger-v6.db", path)
    with closing(sqlite3.connect(path)) as db:
        columns = "sha256, decision, note, by, at, caption, category, in_s, out_s"
        before = db.execute(f"SELECT {columns} FROM decision ORDER BY sha256").fetchall()
    mask = Mask((MaskPoint(0.0, 0.1, 0.2, 0.3, 0.4), MaskPoint(1.0, 0.2, 0.2, 0.3, 0.4)), by="Ada")

    def changed(review: Review) -> Review:
        review = replace(review, masks=(mask,), protect=Protect.KNOWN)
        return replace(review, needs=(Need.MASK,), seen_by=("Ben",))

    with Ledger(path) as ledger:
        first, second = sorted(ledger.reviews.current().items())
        read = [(sha, *stored(review).values()) for sha, review in (first, second)]
        ledger.reviews.amend(first[0], changed)
    assert read == before
    with Ledger(path) as ledger:
        assert ledger.reviews.current() == {
            first[0]: changed(first[1]),
            second[0]: second[1],
        }
        entry = ledger.reviews.trail()[-1]
        assert (entry.before, entry.after) == (first[1], changed(first[1]))
        assert ledger.chain.breaks() == []
    assert version(tmp_path / "ledger.db.v6.bak") == 6


def test_consents_of_the_seventh_version_can_be_recorded(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    shutil.copy(DATA / "ledger-v7.db", path)
    with Ledger(path) as ledger:
        assert any(review.masks for review in ledger.reviews.current().values())
        mail = ledger.intake.submissions()[0]
        assert {row.consent for row in ledger.clips.rows()} == {Consent.UNKNOWN}
        ledger.consents.amend(mail.id, lambda now: replace(now, consent=Consent.NO, by="Ada"))
        now = {row.consent for row in ledger.clips.rows() if row.submission == mail.id}
        assert now == {Consent.NO}
        assert ledger.receipts.submissions_of("GSMP4AGE9M") == (mail.id,)
        code = ledger.receipts.issue_code(mail.id)
        assert ledger.receipts.submissions_of(f"{code[:5]}-{code[5:].lower()}") == (mail.id,)
        assert ledger.chain.breaks() == []
    assert version(tmp_path / "ledger.db.v7.bak") == 7


def test_a_ledger_of_version_8_counts_attempts(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    shutil.copy(DATA / "ledger-v8.db", path)
    with Ledger(path) as ledger:
        results = ledger.clips.results()
        assert Consent.NO in {row.consent for row in ledger.clips.rows()}
        sha256 = min(results)
        assert [ledger.clips.count_attempt(sha256) for _ in range(2)] == [1, 2]
        ledger.clips.record(results[sha256])
        assert ledger.clips.count_attempt(sha256) == 1
        ledger.clips.forget([sha256])
        assert ledger.clips.count_attempt(sha256) == 1
        assert ledger.chain.breaks() == []
    assert version(tmp_path / "ledger.db.v8.bak") == 8


def test_a_second_opening_migrates_nothing(old: Path) -> None:
    with Ledger(old):
        pass
    before = held(old)
    old.with_name("ledger.db.v1.bak").unlink()
    with Ledger(old) as ledger:
        assert ledger.clips.rows()
    after = held(old)
    assert after == {"ledger.db": before["ledger.db"]}


def test_a_withdrawal_deletes_the_copy(old: Path) -> None:
    """It holds what the sender takes back."""
    with Ledger(old) as ledger:
        mail = ledger.intake.submissions()[0]
        ledger.custody.withdraw(ledger.custody.received(submission=mail.id, sender=None))
    assert sorted(held(old)) == ["ledger.db"]


def test_a_new_ledger_has_the_newest_version_and_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "work" / "ledger.db"
    with Ledger(path):
        pass
    assert version(path) == NEWEST
    assert sorted(held(path)) == ["ledger.db"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_new_and_migrated_ledgers_have_the_same_tables(old: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.db"
    for path in (old, fresh):
        with Ledger(path):
            pass
    tables = []
    for path in (old, fresh):
        with closing(sqlite3.connect(path)) as db:
            tables.append(
                db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
            )
    assert tables[0] == tables[1]


KILL = """
import os, signal, sys
from pathlib import Path
from pipeline.ledger import Ledger, connection, migrations

def last(db):
    migrations.MIGRATIONS[-1](db)
    os.kill(os.getpid(), signal.SIGKILL)

connection.MIGRATIONS = (*migrations.MIGRATIONS[:-1], last)
Ledger(Path(sys.argv[1]))
"""


def test_a_kill_in_the_middle_leaves_the_old_version(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        before = list(db.iterdump())
    killed = subprocess.run([sys.executable, "-c", KILL, str(old)], check=False)
    assert killed.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(old)) as db:
        assert list(db.iterdump()) == before
    assert version(old) == 1
    test_nothing_is_lost(old)


def test_several_processes_may_find_an_old_ledger_at_once(old: Path) -> None:
    """One of them migrates, the others wait for it."""
    opening = "import sys; from pathlib import Path; from pipeline.ledger import Ledger\n"
    opening += "with Ledger(Path(sys.argv[1])) as ledger: print(len(ledger.clips.rows()))\n"
    started = [
        subprocess.Popen([sys.executable, "-c", opening, str(old)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    assert [each.communicate()[0].strip() for each in started] == [b"21"] * 3
    with Ledger(old):
        pass  # two that close in the same moment leave their log, which the next one takes in
    assert sorted(held(old)) == ["ledger.db", "ledger.db.v1.bak"]
    assert version(old.with_name("ledger.db.v1.bak")) == 1


# -- a ledger that is newer than the program ---------------------------------------------------


@pytest.fixture
def newer(old: Path) -> Path:
    with closing(sqlite3.connect(old)) as db:
        db.execute(f"PRAGMA user_version = {NEWEST + 1}")
    return old


def refusal(path: Path) -> str:
    with pytest.raises(LedgerError) as caught:
        Ledger(path)
    return str(caught.value)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_newer_ledger_is_refused_and_not_touched(newer: Path, mode: str) -> None:
    with closing(sqlite3.connect(newer)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
    newer.chmod(0o400)
    before, at = held(newer), newer.stat().st_mtime_ns
    said = refusal(newer)
    assert f"version {NEWEST + 1}" in said
    assert "update the program" in said
    assert held(newer) == before
    assert newer.stat().st_mtime_ns == at


def test_a_newer_version_that_is_only_in_the_log_is_seen(old: Path) -> None:
    """A program that was killed right after a migration leaves it in the log beside the ledger."""
    change = (
        "import os, signal, sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        f"db.execute('PRAGMA user_version = {NEWEST + 1}')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", change, str(old)], check=False)
    before = held(old)
    assert before["ledger.db"] == publishing.sha256_of(DATA / "ledger-v1.db")
    assert before.keys() == {"ledger.db", "ledger.db-wal", "ledger.db-shm"}
    assert f"version {NEWEST + 1}" in refusal(old)
    after = held(old)
    # the index of the log is no part of the ledger: SQLite makes it again from the log
    del before["ledger.db-shm"], after["ledger.db-shm"]
    assert after == before


# -- stored JSON -------------------------------------------------------------------------------


def test_stored_records_are_read_by_name(old: Path) -> None:
    """Unknown fields are ignored and missing ones get a default."""
    with Ledger(old) as ledger:
        sha256, whole = next((s, c) for s, c in ledger.clips.results().items() if c.source)
    with closing(sqlite3.connect(old)) as db, db:
        for column, path in (("source", "$"), ("outputs", "$[0]")):
            db.execute(
                f"UPDATE clip SET {column} = json_set({column}, '{path}.of_tomorrow', 1)"
                " WHERE sha256 = ?",
                (sha256,),
            )
        db.execute(
            "UPDATE clip SET source = json_remove(source, '$.hdr', '$.fps', '$.container'),"
            " outputs = json_remove(outputs, '$[0].marks', '$[0].frames') WHERE sha256 = ?",
            (sha256,),
        )
        db.execute(
            "UPDATE decision_trail SET after = json_remove(json_set(after, '$.of_tomorrow', 1),"
            " '$.out_s', '$.decision')"
        )
    with Ledger(old) as ledger:
        read = ledger.clips.results()[sha256]
        trail = ledger.reviews.trail()
    assert whole.source is not None
    assert read.source is not None
    assert (read.source.hdr, read.source.fps, read.source.container) == (False, None, "")
    assert read.source.width == whole.source.width
    assert (read.outputs[0].marks, read.outputs[0].frames) == ("", 0)
    assert read.outputs[0].sha256 == whole.outputs[0].sha256
    assert {(entry.after.decision, entry.after.out_s) for entry in trail} == {("undecided", None)}


def test_a_code_of_a_newer_program_is_shown_as_it_is(old: Path) -> None:
    with Ledger(old), closing(sqlite3.connect(old)) as db, db:
        db.execute("UPDATE attachment SET detail_code = 'of-tomorrow' WHERE reason IS NOT NULL")
    with Ledger(old) as ledger:
        refusals = [row.attachment.refusal for row in ledger.clips.rows()]
    assert {refusal.detail for refusal in refusals if refusal} == {"of-tomorrow"}


# -- SQLite's errors ---------------------------------------------------------------------------


def start(ledger: Ledger, *runs: str) -> None:
    """Record runs in one transaction."""
    with ledger.transaction():
        for run in runs:
            ledger.runs.start(run, "test")


def test_errors_of_sqlite_are_errors_of_the_ledger(old: Path) -> None:
    with Ledger(old) as ledger:
        mail = ledger.intake.submissions()[0]
        with closing(sqlite3.connect(old)) as db:
            db.execute("DROP TABLE decision")
        with pytest.raises(LedgerError, match="can't be read or written"):
            ledger.reviews.current()
        with pytest.raises(LedgerError):
            start(ledger, "one", "one")
        assert ledger.intake.submissions()[0] == mail
        assert ledger.runs.last("test") is None


def fail_at_commit(db: Connection) -> None:
    """Make a transaction whose fault is found by its COMMIT."""
    with db.transaction():
        db.change("PRAGMA defer_foreign_keys = ON")
        db.insert("handled", {"submission": "of nobody", "at": "now", "by": ""})


def test_what_follows_a_commit_that_failed_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    db = Connection(path)
    with pytest.raises(LedgerError):
        fail_at_commit(db)
    with Ledger(path) as ledger:
        start(ledger, "before")
        assert db.change("UPDATE run SET command = 'after'") == 1
    db.close()
    with Ledger(path) as ledger:
        assert ledger.runs.last("after") is not None


def test_a_transaction_inside_another_is_a_part_of_it(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        with pytest.raises(LedgerError):
            start(ledger, "one", "two", "two")
        assert ledger.runs.last() is None
        with ledger.transaction():
            start(ledger, "one")
            with pytest.raises(LedgerError):
                start(ledger, "two", "two")
        last = ledger.runs.last()
        assert last is not None
        assert last.id == "one"
