"""Clips are handed out as plain data, and every engine does the same with them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.config import Campaign, Config, InboxSection, Montage, Process, WorkspaceSection
from pipeline.engine.threads import ThreadEngine
from pipeline.jobs import kinds
from pipeline.model import Kind
from pipeline.process import recipe
from pipeline.process.wire import ClipTask

SHA256 = "5c" * 32


def settings(process: Process, folder: Path = Path("work")) -> Config:
    return Config(
        campaign=Campaign(name="River Week", hashtags=("#RiverWeek",)),
        inbox=(InboxSection(url="eml:inbox"),),
        workspace=WorkspaceSection(path=str(folder)),
        process=process,
        montage=Montage(transition_seconds=0.5),
    )


def task_for(process: Process, kind: Kind = Kind.VIDEO) -> ClipTask:
    config = settings(process)
    wanted = recipe.of(config, "#RiverWeek #Ünïcode", "photo")
    return ClipTask(
        sha256=SHA256,
        key=wanted.key,
        recipe=wanted,
        configurations={"landscape": "ab" * 32},
        timeout_factor=config.process.timeout_factor,
    )


@pytest.mark.parametrize(
    "process",
    [Process(), Process(max_source_seconds=60.0, loudness_lufs=-23), Process(still_seconds=1)],
)
def test_recipe_keeps_its_keys_on_its_way(process: Process) -> None:
    sent = task_for(process)
    got = ClipTask.model_validate_json(sent.model_dump_json())
    assert got == sent
    assert (got.recipe.key, got.recipe.refusal_key) == (sent.key, sent.recipe.refusal_key)


@pytest.mark.parametrize(
    ("field", "value"),
    [("sha256", "../../etc/passwd"), ("timeout_factor", "20"), ("command", "id"), ("recipe", 1)],
)
def test_task_with_anything_else_is_refused(field: str, value: object) -> None:
    data = task_for(Process()).model_dump(mode="json") | {field: value}
    with pytest.raises(ValidationError):
        ClipTask.model_validate(data)


@pytest.mark.parametrize("kind", ["shell", "", "pipeline.process.making", None, ["clip"]])
def test_worker_does_no_job_of_another_kind(kind: object) -> None:
    data = task_for(Process()).model_dump(mode="json") | {"kind": kind}
    with pytest.raises(ValueError, match="kind that is not known"):
        kinds.read(json.dumps(data))


def test_threads_do_as_many_jobs_as_there_is_room_for() -> None:
    both = threading.Barrier(2, timeout=60)

    def work(job: str) -> str:
        both.wait()
        return job.upper()

    engine = ThreadEngine(work, 2)
    try:
        assert engine.room == 2
        for key in ("a", "b"):
            engine.submit(key, f"job {key}")
        assert engine.room == 0
        ended = engine.ended()
        while engine.room < 2:
            ended += engine.ended()
        assert {each.key: each.answer for each in ended} == {"a": "JOB A", "b": "JOB B"}
    finally:
        engine.close()


def test_error_of_a_thread_is_handed_over_and_costs_no_other_answer() -> None:
    def work(job: str) -> str:
        return str(1 // int(job))

    engine = ThreadEngine(work, 2)
    engine.submit("fails", "0")
    engine.submit("works", "1")
    ended = engine.ended()
    while engine.room < 2:
        ended += engine.ended()
    engine.close()
    by_key = {each.key: each for each in ended}
    assert isinstance(by_key["fails"].error, ZeroDivisionError)
    assert by_key["works"].answer == "1"
