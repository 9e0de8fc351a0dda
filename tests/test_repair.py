"""Every difference between ledger and disk is found and repaired, and no footage is lost by it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.ledger_scene import (
    LedgerScene,
    attachment,
    decide,
    quiet,
    result,
    settings,
    sha,
)
from support.one_day import one_day

from pipeline.commands import comparison
from pipeline.commands.ending import Facts
from pipeline.commands.letters import write_drafts
from pipeline.commands.purge import purge_by_hand
from pipeline.commands.repair import repair
from pipeline.commands.session import execute
from pipeline.commands.stages import write_report
from pipeline.commands.verify import verify
from pipeline.consent import Consent
from pipeline.errors import LedgerError, RowUnreadable, StageError, UsageError
from pipeline.history import CaseHold, MontageRecord
from pipeline.ledger import Ledger, heads
from pipeline.ledger.proofs import add_up
from pipeline.model import Decision, OriginalState, Reason, Refusal, Review, Status
from pipeline.protection import Mask, MaskPoint
from pipeline.review import consents
from pipeline.review.consents import ConsentEntry
from pipeline.run import Run
from pipeline.texts import Detail
from pipeline.workspace import Workspace

__all__ = ["one_day"]  # a fixture

NAMES = ("one", "two", "three")
ROWS = ["row-changed"] * 3
OTHER_FILM = (
    "INSERT INTO montage SELECT 'montage/x.mp4', key, sha256, clips, made_at, stale FROM montage"
)
UNREADABLE = (
    *("decision SET decision = 'x'", "decision SET more = 'x'", "decision_trail SET after = '5'"),
    *("clip SET status = 'x'", "clip SET warnings = '{'", "clip SET source = '5'"),
    *("clip SET warnings = '{}'", "clip SET outputs = '[1]'", "clip SET done_at = 'x'"),
    *("montage SET clips = 'x'", "montage SET clips = '5'", "attachment SET findings = '[5]'"),
    *("attachment SET kind = 'x'", "submission SET notes = 'x'", "submission SET links = '{}'"),
    *("submission SET received_at = 'x'", "run SET summary = 'x'", "receipt SET submissions = '5'"),
)


NO_OBJECTS = ("x", "5", "null", "[]", '"x"')
NO_LISTS = ("x", "5", "null", "{}", '"x"', "[5]", "[null]", "[[]]", "[{}]", "[true]")
SEEN = ('{"heads_seen": {"days": 5}}', '{"heads_seen": {"days": {"a": "b"}, "before": 5}}')
LISTS_OF_A_RUN = (
    *('{"left": %s}', '{"inboxes_failed": %s}', '{"inbox_remarks": %s}'),
    '{"process": {"waits": %s}}',
)
OF_A_RUN = (
    *(
        each % value
        for each in LISTS_OF_A_RUN
        for value in ("5", "{}", '"x"', '""', '["x"]', "[[]]")
    ),
    *('{"left": [{"uid": 5}]}', '{"left": [{"why": "x"}]}', '{"left": [{"size": "x"}]}'),
    *('{"inboxes_failed": [{"error": 5}]}', '{"inbox_remarks": [{"text": null}]}'),
    *('{"process": 5}', '{"process": {"waits": [{"sha256": 5, "why": "disk"}]}}'),
    '{"process": {"waits": [{"sha256": "x", "why": "x"}]}}',
)
WRONG_SHAPES = {
    **dict.fromkeys(("clip.findings", "attachment.findings"), (*NO_LISTS, '["x"]', '[["x", 5]]')),
    **dict.fromkeys(("clip.warnings", "montage.clips", "receipt.submissions"), NO_LISTS),
    **dict.fromkeys(("submission.recipients", "submission.links", "submission.answers"), NO_LISTS),
    "submission.notes": (*NO_LISTS, '["x"]'),
    "clip.outputs": (*NO_LISTS, '["x"]', '[{"path": 5}]'),
    "clip.source": (
        *NO_OBJECTS,
        "{}",
        '{"width": "x", "height": 5}',
        '{"width": 1, "height": NaN}',
    ),
    "decision.more": (*NO_OBJECTS, '{"stars": "x"}', '{"tags": [5]}', '{"masks": [{}]}'),
    "decision_trail.before": (*NO_OBJECTS, '{"in_s": "x"}'),
    "decision_trail.after": (*NO_OBJECTS, '{"decision": null}'),
    "run.summary": (*NO_OBJECTS, *SEEN),
    "original.state": ("x",),
    "attachment.detail_code": ("x",),
}
"""For columns of JSON and of codes: values that no version of the program writes."""


class Campaign:
    """Three originals with their clips and a film of the first two, all of their true bytes."""

    def __init__(self, folder: Path, ledger: Ledger, workspace: Workspace) -> None:
        self.scene, self.workspace, self.ledger = LedgerScene(ledger, workspace), workspace, ledger
        self.run: Run = self.scene.run(settings(folder))
        for name in NAMES:
            self.scene.mail(attachment(name))
            self.write(workspace.original(sha(name)), name)
            made = self.scene.clip(result(name))
            self.write(workspace.root / made.outputs[0].path, f"output of {name}")
        decide(ledger, sha("one"), Review(Decision.APPROVED, by="Ana"))
        film = MontageRecord(
            *("montage/m.mp4", "key", sha("film"), (sha("one"), sha("two"))),
            made_at="2026-09-01T00:00:00Z",
        )
        ledger.runs.record_montage(film)
        self.write(workspace.root / film.path, "film")

    def write(self, path: Path, words: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(words.encode())
        return path

    def original(self, name: str) -> Path:
        return self.workspace.original(sha(name))

    def clip(self, name: str) -> Path:
        return self.workspace.clip(sha(name), "landscape")

    def changed(self, *statements: str) -> None:
        """Change the ledger's file as somebody does who does not ask the ledger."""
        with closing(sqlite3.connect(self.workspace.ledger)) as db, db:
            found = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
            triggers = db.execute(found).fetchall()
            for name, _ in triggers:
                db.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                db.execute(statement)
            for _, sql in triggers:
                db.execute(sql)

    def found(self) -> list[tuple[str, str]]:
        compared = comparison.look(self.run)
        return [
            (each.kind.value, each.path or str(each.number))
            for each in comparison.differences(self.workspace, compared)
        ]

    def repaired(self) -> list[tuple[str, str]]:
        """Repair; what was done.  A dry run before it says the same and changes nothing."""
        before = self.everything()
        wanted = repair(self.run, dry_run=True)["repair"]
        assert self.everything() == before
        done = repair(self.run)["repair"]
        assert isinstance(wanted, dict)
        assert isinstance(done, dict)
        assert wanted["repaired"] == done["repaired"]
        return [(each["remedy"].value, each["path"]) for each in done["repaired"]]

    def everything(self) -> dict[str, bytes]:
        """The files of the workspace without the ledger's, and the head of its chain."""
        files = {
            str(path): path.read_bytes()
            for path in self.workspace.root.rglob("*")
            if path.is_file() and not path.name.startswith("ledger.db")
        }
        return files | {"head": str(self.ledger.chain.head()).encode()}

    def status(self, name: str) -> Status:
        return next(row.status for row in self.ledger.clips.rows() if row.sha256 == sha(name))

    def relative(self, path: Path) -> str:
        return self.workspace.relative(path)


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Campaign]:
    workspace = Workspace(tmp_path / "work")
    workspace.create()
    with Ledger(workspace.ledger) as ledger:
        yield Campaign(tmp_path, ledger, workspace)


def test_what_is_as_it_was_recorded_has_no_difference(campaign: Campaign) -> None:
    assert campaign.found() == []
    said = verify(campaign.run)["verify"]
    assert isinstance(said, dict)
    size = sum(len(name) + len(f"output of {name}") for name in NAMES) + len("film")
    stills = sum(path.stat().st_size for path in campaign.workspace.clips.rglob("*.jpg"))
    assert said["checked"] == {"originals": 3, "clips": 3, "montages": 1, "bytes": size + stills}
    assert campaign.repaired() == []


def test_a_head_that_was_kept_must_be_there(campaign: Campaign) -> None:
    head = str(campaign.ledger.chain.head())
    verify(campaign.run, head)
    campaign.changed("DELETE FROM event WHERE number > 6", "DELETE FROM montage")
    with pytest.raises(StageError) as said:
        verify(campaign.run, head)
    assert "chain-cut" in str(said.value)
    for wrong in ("7", "x:" + "0" * 64, "7:ab"):
        with pytest.raises(UsageError):
            verify(campaign.run, wrong)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def dropped(campaign: Campaign, trigger: str) -> None:
    """Drop a trigger of the ledger."""
    with closing(sqlite3.connect(campaign.workspace.ledger)) as db, db:
        db.execute(f"DROP TRIGGER {trigger}")


def replaced(campaign: Campaign, trigger: str) -> None:
    """Put a trigger that does nothing in the place of another."""
    dropped(campaign, trigger)
    with closing(sqlite3.connect(campaign.workspace.ledger)) as db, db:
        db.execute(f"CREATE TRIGGER {trigger} BEFORE DELETE ON event WHEN 0 BEGIN SELECT 1; END")


def receipt(campaign: Campaign) -> object:
    """Send a receipt."""
    claim = campaign.ledger.receipts.claim(["s00001"], "ana@example.org", "2026-09-01")
    assert claim is not None
    campaign.ledger.receipts.settle(claim, "sent")
    return claim


def keep(campaign: Campaign) -> Campaign:
    """Keep an original for a case."""
    campaign.ledger.custody.keep_for_case(CaseHold(sha("one"), "2026-09-01", "Ana", "case 17"))
    return campaign


Change = Callable[[Campaign], object]


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (lambda c: c.original("one").write_bytes(b"onf"), ["original-changed"]),
        (lambda c: c.original("one").write_bytes(b""), ["original-changed"]),
        (lambda c: c.original("one").unlink(), ["original-missing"]),
        (lambda c: c.clip("one").write_bytes(b"x"), ["clip-changed"]),
        (lambda c: c.clip("one").unlink(), ["clip-missing"]),
        (lambda c: shutil.rmtree(c.clip("one").parent), ["clip-missing"]),
        (lambda c: c.write(c.original("four"), "four"), ["original-unknown"]),
        (lambda c: c.write(c.clip("four"), "x"), ["clip-unknown"]),
        (lambda c: c.write(c.clip("one").with_name("old.mp4"), "x"), ["clip-unknown"]),
        (lambda c: (c.workspace.montage / "m.mp4").write_bytes(b"x"), ["film-changed"]),
        (lambda c: (c.workspace.montage / "m.mp4").unlink(), []),
        (
            lambda c: (c.original("one").unlink(), c.original("one").symlink_to("/etc/passwd")),
            ["unreadable"],
        ),
        (lambda c: pipe(c.original("one")), ["unreadable"]),
        (
            lambda c: c.ledger.custody.set_state(sha("one"), OriginalState.WITHDRAWN),
            [
                *ROWS,
                "original-left",
                *["clip-unknown"] * 2,
            ],  # clip and decision are still there, and the film is not stale
        ),
        (lambda c: c.ledger.custody.set_state(sha("one"), OriginalState.PURGED), ["original-left"]),
        (
            lambda c: c.changed("UPDATE original SET state = 'purged'"),
            ["row-changed"] * 3 + ["original-left"] * 3,
        ),
        (lambda c: c.changed("DELETE FROM clip"), [*ROWS, *["clip-unknown"] * 6]),
        (lambda c: c.changed("UPDATE clip SET recipe = ''"), ROWS),
        (lambda c: c.changed("UPDATE decision_trail SET by = 'Eve'"), ["row-changed"]),
        (lambda c: c.changed("DELETE FROM decision_trail"), ["row-changed"]),
        (
            lambda c: c.changed(
                "INSERT INTO decision_trail SELECT 9, sha256, at, by, before, after, act, undoes"
                " FROM decision_trail"
            ),
            ["row-changed"],
        ),
        (lambda c: dropped(c, "event_is_not_changed"), ["trigger-missing"]),
        # another mail, to which another consent belongs
        (
            lambda c: c.changed(
                "UPDATE attachment SET submission = 's00000', position = 7"
                " WHERE submission = 's00001'"
            ),
            ["row-changed"] * 2,
        ),
        (lambda c: c.changed("UPDATE attachment SET position = position + 1"), ["row-changed"] * 6),
        (lambda c: c.changed("UPDATE attachment SET sha256 = NULL"), ROWS),
        (lambda c: c.changed("UPDATE attachment SET size = 1"), ROWS),
        (
            lambda c: c.changed("DELETE FROM attachment WHERE submission = 's00001'"),
            ["row-changed"],
        ),
        (lambda c: keep(c).changed("DELETE FROM case_hold"), ["row-changed"]),
        (lambda c: keep(c).changed("UPDATE case_hold SET why = ''"), ["row-changed"]),
        (
            lambda c: c.changed(f"INSERT INTO case_hold VALUES ('{sha('one')}', '', '', '')"),
            ["row-changed"],
        ),
        (lambda c: keep(c).ledger.custody.end_case(sha("one")), []),
        (lambda c: c.ledger.reviews.set_handled(["s00001"], "Ana"), []),
        (
            lambda c: (
                c.ledger.reviews.set_handled(["s00001"], "Ana"),
                c.changed("DELETE FROM handled"),
            ),
            ["row-changed"],
        ),
        (lambda c: c.changed("INSERT INTO handled VALUES ('s00001', '', '')"), ["row-changed"]),
        (lambda c: c.changed("UPDATE event SET at = ''"), ["chain-broken"] * 12 + ROWS),
        (
            lambda c: c.changed("DELETE FROM event WHERE number = 11"),
            ["chain-broken", "log-differs", "row-changed", "row-changed"],
        ),
        # what is now, and not only its trail
        (lambda c: c.changed("UPDATE decision SET decision = 'rejected'"), ["row-changed"]),
        (lambda c: c.changed("UPDATE decision SET by = 'Eve'"), ["row-changed"]),
        (lambda c: c.changed("UPDATE decision SET more = '{\"stars\": 5}'"), ["row-changed"]),
        (lambda c: c.changed("DELETE FROM decision"), ["row-changed"]),
        (
            lambda c: c.changed(
                f"INSERT INTO decision SELECT '{sha('two')}', decision, note, by, at, caption,"
                " category, in_s, out_s, more FROM decision"
            ),
            ["row-changed"],
        ),
        (lambda c: c.changed("UPDATE clip SET status = 'failed'"), ROWS),
        (lambda c: c.changed("UPDATE clip SET status = 'failed', reason = 'timeout'"), ROWS),
        (lambda c: c.changed("UPDATE montage SET clips = '[]'"), ["row-changed"]),
        (lambda c: c.changed("UPDATE montage SET key = ''"), ["row-changed"]),
        (lambda c: c.changed("DELETE FROM montage"), ["row-changed"]),
        (lambda c: c.changed(OTHER_FILM), ["row-changed"]),
        (lambda c: c.changed("UPDATE original SET size = 1"), ROWS),
        (lambda c: c.changed("UPDATE original SET stored_at = '2020-01-01T00:00:00Z'"), ROWS),
        (lambda c: c.changed("UPDATE mail SET digest = ''"), ROWS),
        (lambda c: c.changed("DELETE FROM mail WHERE submission = 's00001'"), ["row-changed"]),
        (
            lambda c: c.changed(
                "INSERT INTO submission SELECT 's9', '', sender, '', '', '', '[]', '[]', '', '[]',"
                " '[]', '', '' FROM submission LIMIT 1"
            ),
            ["row-changed"],
        ),
        (
            lambda c: c.changed("INSERT INTO receipt VALUES (1, 'x', '[]', '', '', 'sent', '')"),
            ["row-changed"],
        ),
        (
            lambda c: (
                receipt(c),
                c.changed("UPDATE receipt SET state = 'refused'"),
            ),
            ["row-changed"],
        ),
        (receipt, []),
        (lambda c: replaced(c, "event_is_not_deleted"), ["trigger-missing"]),
        (
            lambda c: c.changed("CREATE TRIGGER t BEFORE INSERT ON decision BEGIN SELECT 1; END"),
            ["trigger-missing"],
        ),
    ],
)
def test_each_difference_is_found(campaign: Campaign, change: Change, kinds: list[str]) -> None:
    change(campaign)
    found = [kind for kind, _ in campaign.found()]
    assert found == kinds


def test_rows_that_cannot_be_read_are_named_and_the_rest_is_compared(campaign: Campaign) -> None:
    ledger = campaign.ledger
    receipt(campaign)
    ledger.runs.start("20200101T000000.000000Z", "run")
    ledger.runs.end("20200101T000000.000000Z", 0, {})
    campaign.original("three").unlink()
    with (
        closing(sqlite3.connect(campaign.workspace.ledger)) as db,
        closing(sqlite3.connect(":memory:")) as whole,
    ):
        db.backup(whole)
        for change in UNREADABLE:
            campaign.changed(f"UPDATE {change}")
            kinds = {kind for kind, _ in campaign.found()}
            assert kinds == {"row-changed", "original-missing"}, change
            before = campaign.everything()
            with pytest.raises(RowUnreadable, match="footage verify names it"):
                repair(campaign.run)
            assert campaign.everything() == before
            with contextlib.suppress(LedgerError):  # and no other error
                ledger.clips.rows()
                ledger.runs.montages()
                ledger.intake.submissions()
                ledger.receipts.all()
                ledger.runs.last()
                ledger.runs.remains()
            whole.backup(db)
    campaign.changed("DROP TABLE receipt")
    with pytest.raises(LedgerError, match="It is not as this program made it"):
        verify(campaign.run)


def test_values_of_a_wrong_shape_are_named(campaign: Campaign) -> None:
    """Each element of the stored JSON counts, and each field of a record in it."""
    ledger = campaign.ledger
    receipt(campaign)
    ledger.runs.start("20200101T000000.000000Z", "run")
    with (
        closing(sqlite3.connect(campaign.workspace.ledger, isolation_level=None)) as db,
        closing(sqlite3.connect(":memory:")) as whole,
    ):
        db.execute("PRAGMA ignore_check_constraints = 1")
        db.backup(whole)
        assert ledger.checks.unreadable_rows() == []
        for column, values in WRONG_SHAPES.items():
            table, name = column.split(".")
            for value in values:
                db.execute(f"UPDATE {table} SET {name} = ?", (value,))
                assert ledger.checks.unreadable_rows(), (column, value)
                if value == values[0]:  # for the others it is the same, and hashes each file
                    kinds = {kind for kind, _ in campaign.found()}
                    assert "row-changed" in kinds
                    assert "original-unknown" not in kinds
                with contextlib.suppress(LedgerError):  # and no other error
                    heads.is_ledger_older(campaign.workspace, ledger)
                    write_report(campaign.run)
                whole.backup(db)


@pytest.mark.parametrize("column", ["parent", "pair"])
def test_an_attachment_in_itself_or_in_nothing_is_named(campaign: Campaign, column: str) -> None:
    def named() -> set[str]:
        proved = add_up(campaign.ledger.chain.events())
        rows = (name for name, _ in campaign.ledger.checks.changed_rows(proved))
        return {name for name in rows if "attachment" in name}

    campaign.changed(
        f"UPDATE attachment SET submission = 's00001', position = rowid, {column} = rowid - 1",
        f"UPDATE attachment SET {column} = NULL WHERE position = 1",
    )
    assert named() == set()
    for first in (1, 3, 999):
        campaign.changed(f"UPDATE attachment SET {column} = {first} WHERE position = 1")
        all_three = {f"row of the attachment {number} of the mail s00001" for number in (1, 2, 3)}
        assert named() == all_three, first


def test_a_mail_with_a_foreign_id_is_named_and_gets_no_letter(campaign: Campaign) -> None:
    with closing(sqlite3.connect(campaign.workspace.ledger)) as db, db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute(
            "UPDATE submission SET id = ?, text = 'Delete it.' WHERE id = 's00001'", ("a\0b",)
        )
        db.execute("UPDATE submission SET id = ? WHERE id = 's00002'", ("../../out",))
    write_drafts(campaign.run)
    named = [name for name, _ in campaign.ledger.checks.unreadable_rows()]
    assert named == ["row of the mail a\0b", "row of the mail ../../out"]


def test_what_a_run_left_is_named_if_it_has_another_shape(campaign: Campaign) -> None:
    ledger = campaign.ledger
    ledger.runs.start("20200101T000000.000000Z", "run")
    ledger.runs.end("20200101T000000.000000Z", 0, {"ingest": {}, "left": [], "process": {}})
    assert ledger.checks.unreadable_rows() == []
    with closing(sqlite3.connect(campaign.workspace.ledger, isolation_level=None)) as db:
        for summary in OF_A_RUN:
            db.execute("UPDATE run SET summary = ?", (summary,))
            named = ("row of the run 20200101T000000.000000Z", "")
            assert ledger.checks.unreadable_rows() == [named], summary


def test_a_run_has_an_end_also_if_another_run_can_not_be_read(campaign: Campaign) -> None:
    def stop(run: Run) -> Facts:
        assert run.ledger.runs.last("verify") is not None
        campaign.changed("UPDATE run SET summary = 'x' WHERE command = 'ingest'")
        raise UsageError("stop here")

    campaign.ledger.runs.start("one", "ingest")
    with pytest.raises(UsageError, match="stop here"):
        execute(campaign.run.config, quiet(), "verify", stop)
    (ended,) = campaign.ledger.runs.latest("verify", 1)
    assert (ended.exit_code, ended.summary) == (2, {"error": "stop here"})


def test_a_ledger_that_does_not_fit_its_version_is_said_to_be_so(campaign: Campaign) -> None:
    for version in (1, 0):
        campaign.changed(f"PRAGMA user_version = {version}")
        with pytest.raises(LedgerError, match="It is not as this program made it"):
            Ledger(campaign.workspace.ledger)


def rule(campaign: Campaign, decision: Decision) -> None:
    decide(campaign.ledger, sha("one"), Review(decision, "", "Ana"))


MASK = Mask((MaskPoint(0, 0.2, 0.2, 0.5, 0.5),))


def consent(campaign: Campaign) -> object:
    entered = ConsentEntry(Consent.NO, by="Ana")
    return consents.record(campaign.ledger, "s00001", entered)


@pytest.mark.parametrize(
    ("act", "command"),
    [
        (consent, "consent s00001 --set no"),
        (keep, f"keep {sha('one')} --why REASON"),
        (lambda c: rule(c, Decision.REJECTED), f"reject {sha('one')}"),
        (lambda c: rule(c, Decision.HELD), f"hold {sha('one')}"),
        (lambda c: rule(c, Decision.APPROVED), ""),
        (
            lambda c: decide(c.ledger, sha("one"), Review(Decision.APPROVED, masks=(MASK,))),
            "review",
        ),
        (
            lambda c: decide(c.ledger, sha("one"), Review(Decision.APPROVED, caption="#River")),
            "review",
        ),
        (lambda c: c.ledger.reviews.set_handled(["s00001"], "Ana"), "handled s00001"),
        (
            lambda c: c.ledger.reviews.set_handled(["s00002"], "Ana", handled=False),
            "handled --undo s00002",
        ),
        (receipt, ""),
    ],
)
def test_an_older_ledger_is_found_whatever_was_recorded_since(
    campaign: Campaign, act: Change, command: str
) -> None:
    campaign.ledger.reviews.set_handled(["s00002"], "Zoe")
    with Ledger(campaign.workspace.ledger) as former:
        former.runs.start("20990101T000000.000000Z", "run")
        heads.note_seen(campaign.workspace, former, "20990101T000000.000000Z")
    assert campaign.found() == []
    assert not heads.is_ledger_older(campaign.workspace, campaign.ledger)
    with (
        closing(sqlite3.connect(campaign.workspace.ledger)) as ledger,
        closing(sqlite3.connect(":memory:")) as older,
    ):
        ledger.backup(older)
        act(campaign)
        assert campaign.found() == []
        older.backup(ledger)
    (day,) = campaign.workspace.heads.glob("*.txt")
    forgotten = [("act-forgotten", f"heads/{day.stem}.jsonl")] * bool(command)
    assert campaign.found() == [("log-newer", f"heads/{day.name}"), *forgotten]
    assert heads.is_ledger_older(campaign.workspace, campaign.ledger)
    left = 1 + len(forgotten)
    with pytest.raises(StageError, match=f"0 repairs would be made, .* {left} diff"):
        repair(campaign.run, dry_run=True)
    compared = comparison.look(campaign.run)
    assert [each.command for each in compared.forgotten] == [f"footage {command}"] * bool(command)
    decide(campaign.ledger, sha("two"), Review(Decision.HELD, "", "Ben"))
    assert ("log-differs", f"heads/{day.name}") in campaign.found(), "the chain goes on differently"
    act(campaign)
    assert "act-forgotten" not in dict(campaign.found()), "it was repeated"


def test_what_is_no_file_beside_the_ledger_keeps_nobody_waiting(campaign: Campaign) -> None:
    for folder, end in ((campaign.workspace.heads, ".txt"), (campaign.workspace.logs, ".jsonl")):
        folder.mkdir(exist_ok=True)
        os.mkfifo(folder / f"29990101{end}")
        (folder / f"29990102{end}").mkdir()
    assert campaign.found() == []
    assert not heads.is_ledger_older(campaign.workspace, campaign.ledger)
    (today,) = campaign.workspace.heads.glob("202?????.txt")
    today.unlink()
    os.mkfifo(today)
    consent(campaign)
    assert campaign.found() == []


def test_heads_that_a_run_has_found_are_not_read_again(campaign: Campaign) -> None:
    """A run and the status look at what is new; ``verify`` reads all."""
    workspace, ledger = campaign.workspace, campaign.ledger
    ledger.runs.start("20990101T000000.000000Z", "run")
    (today,) = workspace.heads.glob("*.txt")
    earlier = workspace.heads / "20200101.txt"
    head = ledger.chain.head()
    foreign = f"{head.number}:{'0' * 64}\n"

    earlier.write_text(foreign)
    assert heads.is_ledger_older(workspace, ledger)
    heads.note_seen(workspace, ledger, "20990101T000000.000000Z")
    assert heads.is_ledger_older(workspace, ledger), "what does not fit is said each time"

    earlier.write_text(f"{head}\n")
    heads.note_seen(workspace, ledger, "20990101T000000.000000Z")
    assert ledger.runs.heads_seen().days == {
        earlier.name: earlier.stat().st_size, today.name: today.stat().st_size,
    }  # fmt: skip
    ledger.runs.end("20990101T000000.000000Z", 0, {"report": {}})
    today.write_text(today.read_text().replace(str(head), foreign.strip()))
    assert not heads.is_ledger_older(workspace, ledger)
    assert [path for _, path in campaign.found()] == [f"heads/{today.name}"]
    with today.open("a") as file:
        file.write(f"{head.number + 1}:{'0' * 64}\n")
    assert heads.is_ledger_older(workspace, ledger)


def test_what_was_not_committed_leaves_no_head(campaign: Campaign) -> None:
    with contextlib.suppress(KeyError), campaign.ledger.transaction():
        consent(campaign)
        raise KeyError
    assert campaign.found() == []
    campaign.ledger.clips.forget([])
    consent(campaign)
    assert campaign.found() == []


@pytest.mark.parametrize("version", [4, 5, 8])
def test_rows_older_than_the_chain_are_not_compared(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ledger.db"
    shutil.copy(Path(__file__).parent / "data" / f"ledger-v{version}.db", path)
    with Ledger(path) as ledger:
        run = LedgerScene(ledger, Workspace(tmp_path)).run(settings(tmp_path))
        found = comparison.differences(run.workspace, comparison.look(run))
    assert [each.path for each in found if each.kind == "row-changed"] == []


def test_a_lost_clip_is_made_again(campaign: Campaign) -> None:
    campaign.clip("one").unlink()
    campaign.clip("two").write_bytes(b"changed")
    remade = [("remake", campaign.relative(campaign.clip(name))) for name in ("one", "two")]
    assert sorted(campaign.repaired()) == sorted(remade)
    assert campaign.status("one") is campaign.status("two") is Status.PENDING
    assert not campaign.clip("two").exists()
    assert campaign.found() == []


def test_an_orphan_is_taken_in(campaign: Campaign) -> None:
    campaign.write(campaign.original("four"), "four")
    misnamed = campaign.write(campaign.workspace.originals / "ab" / "IMG_1.MOV", "five")
    other = campaign.write(campaign.original("six"), "not six")
    done = campaign.repaired()
    assert sorted(done) == sorted(
        ("adopt", campaign.relative(path)) for path in (campaign.original("four"), misnamed, other)
    )
    for name in ("four", "five", "not six"):
        assert campaign.original(name).read_bytes() == name.encode()
        assert campaign.ledger.custody.state(sha(name)) is OriginalState.KEPT
    assert not misnamed.exists()
    assert not other.exists()
    assert campaign.found() == []


def test_a_name_with_a_place_is_masked(campaign: Campaign) -> None:
    """Somebody has put a file there by hand."""
    folder = campaign.workspace.originals / "07"
    campaign.write(folder / "48.2082,16.3738.jpg", "four")
    (folder / os.fsdecode(b"\xff\xfe")).write_bytes(b"five")
    compared = comparison.look(campaign.run)
    found = comparison.differences(campaign.workspace, compared)
    assert len(found) == 2
    assert "48.2082" not in "".join(f"{each.sentence}{each.table()}" for each in found)
    done = str(repair(campaign.run))
    assert "48.2082" not in done
    assert "[location removed]" in done
    assert campaign.original("four").read_bytes() == b"four"
    assert campaign.original("five").read_bytes() == b"five"
    stored = [path.read_bytes() for path in campaign.workspace.root.glob("ledger.db*")]
    assert b"48.2082" not in b"".join(stored)
    assert campaign.found() == []


def test_a_changed_original_is_set_aside_and_never_used(campaign: Campaign) -> None:
    campaign.original("one").write_bytes(b"changed")
    campaign.original("two").unlink()
    path = campaign.relative(campaign.original("one"))
    assert campaign.repaired() == [
        ("set-aside", path),
        ("record-lost", path),
        ("record-lost", campaign.relative(campaign.original("two"))),
    ]
    (aside,) = campaign.workspace.changed.iterdir()
    assert aside.read_bytes() == b"changed"
    assert aside.name == f"{sha('one')}-{sha('changed')[:12]}"
    assert not campaign.original("one").exists()
    # its clip is what was judged, and stays
    assert campaign.status("one") is Status.ACCEPTED
    assert campaign.found() == []
    said = verify(campaign.run)["verify"]
    assert isinstance(said, dict)
    assert sorted(said["lost"]) == sorted([sha("one"), sha("two")])


def test_a_clip_that_can_not_be_made_again_says_what_to_do(campaign: Campaign) -> None:
    campaign.original("one").unlink()
    campaign.clip("one").unlink()
    campaign.ledger.custody.set_state(sha("two"), OriginalState.PURGED)
    campaign.original("two").unlink()
    campaign.clip("two").write_bytes(b"changed")
    done = campaign.repaired()
    assert [remedy for remedy, _ in done] == ["record-lost"] + ["record-clip-lost"] * 2
    rows = {row.sha256: row for row in campaign.ledger.clips.rows()}
    for name in ("one", "two"):
        assert rows[sha(name)].status is Status.REJECTED
        assert rows[sha(name)].refusal is not None
    assert campaign.clip("two").with_name("landscape.mp4.changed").read_bytes() == b"changed"
    assert campaign.found() == []


def test_a_failure_of_a_lost_original_is_not_tried_for_ever(campaign: Campaign) -> None:
    """Process refuses changed bytes as a failure; after the repair it is a refusal."""
    failure = Refusal(Reason.INTERNAL, Detail.ORIGINAL_CHANGED)
    campaign.ledger.clips.record(
        result("one", status=Status.FAILED, refusal=failure, outputs=(), clean=None)
    )
    shutil.rmtree(campaign.clip("one").parent)
    campaign.original("one").write_bytes(b"changed")
    campaign.repaired()
    assert campaign.status("one") is Status.REJECTED


def test_what_was_taken_back_is_deleted(campaign: Campaign) -> None:
    """A withdrawal was killed after it had written the ledger."""
    copies = [path.read_bytes() for path in (campaign.original("one"), campaign.clip("one"))]
    campaign.ledger.custody.withdraw([sha("one")])
    # the bytes of another original were replaced by those that were taken back
    campaign.original("two").write_bytes(copies[0])
    misnamed = campaign.write(campaign.workspace.originals / "copy", "one")
    (campaign.workspace.backups / "ledger-2026-01-01.db").write_bytes(b"old")
    assert {remedy for remedy, _ in campaign.repaired()} == {
        *("delete-withdrawn", "record-lost", "delete-backup")
    }
    assert not misnamed.exists()
    assert not campaign.clip("one").parent.exists()
    assert not any(path.read_bytes() in copies for path in files(campaign.workspace.root))
    assert campaign.found() == []


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_original_that_is_there_is_kept(campaign: Campaign) -> None:
    campaign.ledger.custody.set_state(sha("one"), OriginalState.PURGED)
    # its file has only another place
    moved = campaign.workspace.originals / "moved"
    campaign.original("two").rename(moved)
    campaign.write(campaign.workspace.originals / "copy", "three")
    done = campaign.repaired()
    assert set(done) == {
        ("delete-copy", "originals/copy"),
        ("return", "originals/moved"),
        ("return", campaign.relative(campaign.original("one"))),
    }
    for name in NAMES:
        assert campaign.original(name).read_bytes() == name.encode()
        assert campaign.ledger.custody.state(sha(name)) is OriginalState.KEPT
    assert campaign.found() == []


def test_two_originals_that_changed_places_change_back(campaign: Campaign) -> None:
    campaign.original("one").write_bytes(b"two")
    campaign.original("two").write_bytes(b"one")
    campaign.repaired()
    # each is set aside under the other's bytes: nothing is deleted
    assert {path.read_bytes() for path in campaign.workspace.changed.iterdir()} == {b"one", b"two"}
    assert campaign.found() == []


def test_a_clip_without_its_original_is_left_to_a_person(campaign: Campaign) -> None:
    """It may be the only copy of somebody's footage."""
    campaign.write(campaign.clip("nine"), "the only copy")
    stray = campaign.write(campaign.clip("one").with_name("old.mp4"), "old")
    campaign.original("two").unlink()
    campaign.original("two").symlink_to(campaign.original("one"))
    with pytest.raises(StageError) as said:
        repair(campaign.run)
    assert "2 differences left to a person" in str(said.value)
    assert campaign.clip("nine").read_bytes() == b"the only copy"
    assert campaign.original("two").is_symlink()
    assert not stray.exists()


def test_a_changed_film_is_made_again(campaign: Campaign) -> None:
    (campaign.workspace.montage / "m.mp4").write_bytes(b"other")
    assert campaign.repaired() == [("mark-stale", "montage/m.mp4")]
    assert campaign.ledger.runs.montage_key("montage/m.mp4") is None
    assert campaign.found() == []


def test_what_was_set_aside_goes_when_its_days_are_over(campaign: Campaign) -> None:
    campaign.original("one").write_bytes(b"changed")
    campaign.repaired()
    (aside,) = campaign.workspace.changed.iterdir()
    purge_by_hand(campaign.run)
    assert aside.exists()
    os.utime(aside, (0, 0))
    purge_by_hand(campaign.run)
    assert not aside.exists()
