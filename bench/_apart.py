"""The demo on one machine, and on a cluster that shares no disk: are both the same?"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench._machines import Machine, NoMachines, machines
from pipeline.console import Console, Verbosity
from pipeline.demo import sample
from pipeline.demo.mails import FILES
from pipeline.engine import certificates

Report: TypeAlias = dict[str, object]

_BUCKET, _PREFIX = "campaign", "demo"
_STORE_PORT, _SCHEDULER_PORT = 5000, 8786
_TIME = 1_790_000_000  # of the mails' files
_SET_ASIDE = ("generated_at",)  # of the report; nothing else differs between two runs
_PLAIN = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret-for-the-bench",
    "AWS_REGION": "eu-central-1",
    "AWS_ALLOW_HTTP": "true",  # nobody else is in this network
}
_MAKE_BUCKET = """
import boto3, os, time
client = boto3.client("s3")
for _ in range(100):
    try:
        where = {"LocationConstraint": os.environ["AWS_REGION"]}
        client.create_bucket(Bucket="campaign", CreateBucketConfiguration=where)
        break
    except Exception:
        time.sleep(0.2)
else:
    raise SystemExit("the store does not begin")
"""
_LIST_BUCKET = """
import boto3, hashlib, json
client, found = boto3.client("s3"), {}
for page in client.get_paginator("list_objects_v2").paginate(Bucket="campaign"):
    for each in page.get("Contents", ()):
        body = client.get_object(Bucket="campaign", Key=each["Key"])["Body"]
        found[each["Key"]] = hashlib.sha256(body.read()).hexdigest()
print(json.dumps(found))
"""
# where else than in its own folder could a machine leave something for another one?
_WRITABLE = """
import os
for line in open("/proc/self/mounts"):
    device, folder, kind, flags = line.split()[:4]
    if "rw" in flags.split(",") and os.statvfs(folder).f_blocks and kind not in ("proc", "sysfs"):
        print(kind, folder)
"""


@dataclass(frozen=True)
class Outputs:
    """What a demo made: its report and table, and the SHA-256 of each other file by its path."""

    report: Report
    table: bytes
    films: dict[str, str]
    footage: dict[str, str]


def apart(folder: Path) -> bool:
    """Compare both; print what was found."""
    try:
        with machines(folder, 6) as made:
            return _compared(*made)
    except NoMachines as error:
        print(f"apart: not measured: {error}")
        return False


def _compared(
    alone: Machine, store: Machine, scheduler: Machine, one: Machine, two: Machine, own: Machine
) -> bool:
    begun = time.monotonic()
    wrong = _demo(alone, "", {})
    wanted = _made(alone)
    print(f"apart: the demo on one machine: {time.monotonic() - begun:.0f} s", flush=True)

    env = {**_PLAIN, "AWS_ENDPOINT_URL": f"http://{store.address}:{_STORE_PORT}"}
    at = ("-H", "0.0.0.0", "-p", str(_STORE_PORT))
    store.start(sys.executable, "-m", "moto.server", *at, env={})
    code, _, err = store.run(sys.executable, "-c", _MAKE_BUCKET, env=env)
    assert code == 0, err
    lines = f'[cluster]\nscheduler = "tls://{scheduler.address}:{_SCHEDULER_PORT}"\n'
    names = ("ca", "certificate", "key")
    lines += "".join(f'{name} = "{own.disk / "pem" / name}.pem"\n' for name in names)
    _certify((scheduler, one, two, own))
    _ready(scheduler, "scheduler", lines, env)
    for worker in (one, two):
        _ready(worker, "worker", lines, env)
    begun = time.monotonic()
    wrong += _demo(own, lines, env)
    for each in wrong:
        print(f"apart: WRONG {each}", flush=True)
    if wrong:
        return False
    got = _made(own)
    print(f"apart: on two workers with a store: {time.monotonic() - begun:.0f} s", flush=True)
    code, listed, err = store.run(sys.executable, "-c", _LIST_BUCKET, env=env)
    assert code == 0, err
    objects: dict[str, str] = json.loads(listed)

    wrong += _differences(wanted, got, objects)
    wrong += _common(own, (one, two, scheduler, store))
    by_worker = _work_of(own)
    print(f"apart: programs that each worker ran: {dict(by_worker)}")
    if len(by_worker) != 2:
        wrong.append("not both workers worked")
    for each in wrong:
        print(f"apart: WRONG {each}")
    print(
        f"apart: {len(wanted.footage)} originals, clips and stills, {len(wanted.films)} files of "
        f"montage and report, report and table: {'NOT ' if wrong else ''}equal, by SHA-256 "
        f"(set aside: {', '.join(_SET_ASIDE)}); {len(objects)} objects in the store"
    )
    return not wrong


def _demo(machine: Machine, lines: str, env: dict[str, str]) -> list[str]:
    """Run the demo, with a cluster and a store if *lines* say so."""
    sample.make(machine.folder / "demo", Console(Verbosity.QUIET))
    # the name of a mail in the report depends on the time of its file
    for mail in (machine.folder / "demo" / "inbox").iterdir():
        os.utime(mail, (_TIME, _TIME))
    _configure(machine, "demo", lines)
    code, _, err = machine.footage("demo", str(machine.disk / "demo"), "-q", env=env)
    return [f"the demo ended with {code}: {err}"] if code or err else []


def _configure(machine: Machine, folder: str, lines: str) -> None:
    """Write the configuration of the demo, with a cluster and a store if *lines* say so."""
    text = (FILES / "config.toml").read_text("utf-8")
    if lines:
        text = text.replace("[workspace]", f'[workspace]\nstore = "s3://{_BUCKET}/{_PREFIX}"', 1)
    (machine.folder / folder).mkdir(exist_ok=True)
    (machine.folder / folder / "config.toml").write_text(text + lines, "utf-8")


def _certify(members: tuple[Machine, ...]) -> None:
    """Give each machine a certificate of its own, signed by one authority."""
    authority: dict[str, bytes] = {}
    for machine in members:
        pem = machine.folder / "pem"
        pem.mkdir(mode=0o700)
        for name, text in authority.items():
            (pem / name).write_bytes(text)
        certificates.write(pem)
        authority = {
            name: (pem / name).read_bytes() for name in (certificates.CA, certificates.CA_KEY)
        }
        (pem / certificates.CA_KEY).unlink()


def _ready(machine: Machine, program: str, lines: str, env: dict[str, str]) -> None:
    """Start a program of the cluster, and wait until it is ready."""
    _configure(machine, program, lines)
    config = str(machine.disk / program / "config.toml")
    print(f"apart: {machine.ready(program, '--config', config, env=env)}", flush=True)


def _made(machine: Machine) -> Outputs:
    work = machine.folder / "demo" / "work"
    report: Report = json.loads((work / "report" / "report.json").read_text("utf-8"))
    for name in _SET_ASIDE:
        report.pop(name)
    return Outputs(
        report,
        (work / "report" / "report.csv").read_bytes(),
        _digests(work, "montage", "report/thumbs"),
        _digests(work, "originals", "clips"),
    )


def _digests(work: Path, *folders: str) -> dict[str, str]:
    paths = (path for folder in folders for path in (work / folder).rglob("*") if path.is_file())
    return {
        str(path.relative_to(work)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def _differences(wanted: Outputs, got: Outputs, objects: dict[str, str]) -> Iterator[str]:
    """What is not the same; originals and clips of the second are compared in the store."""
    yield from _other_values("report", wanted.report, got.report)
    if got.table != wanted.table:
        yield "another table"
    names = wanted.films.keys() | got.films.keys()
    yield from (name for name in names if wanted.films.get(name) != got.films.get(name))
    if got.footage:
        yield f"footage is still on the disk of the coordinator: {', '.join(got.footage)}"
    in_store = Counter(objects.values())
    for path, sha256 in wanted.footage.items():
        if not in_store[sha256]:
            yield f"{path} is not in the store"
    others = [name for name in objects if not name.startswith(f"{_PREFIX}/cache/")]
    if len(others) != len(wanted.footage) + len(_films(wanted)) + 1:  # one names the workspace
        yield f"{len(others)} objects in the store that are no cards or seams"


def _other_values(name: str, wanted: object, got: object) -> Iterator[str]:
    """The fields of two reports that are not the same."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in wanted.keys() | got.keys():
            yield from _other_values(f"{name}.{key}", wanted.get(key), got.get(key))
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for number, (one, other) in enumerate(zip(wanted, got, strict=True)):
            yield from _other_values(f"{name}.{number}", one, other)
    elif wanted != got:
        yield f"{name}: {wanted!r} and {got!r}"


def _films(outputs: Outputs) -> list[str]:
    return [name for name in outputs.films if name.endswith(".mp4")]


def _common(own: Machine, others: tuple[Machine, ...]) -> Iterator[str]:
    """What one machine can see or leave for another."""
    ledger = str(own.disk / "demo" / "work" / "ledger.db")
    if own.run("test", "-r", ledger, env={})[0] != 0:
        yield "the coordinator can't read its own ledger"
    for machine in (own, *others):
        _, out, _ = machine.run(sys.executable, "-c", _WRITABLE, env={})
        if strange := {*out.splitlines()} - {f"tmpfs {own.disk}", "tmpfs /dev/shm"}:
            yield f"{machine.address} can write to {strange}"
    for machine in others:
        if machine.run("cat", ledger, env={})[0] == 0:
            yield f"{machine.address} can read the ledger of the coordinator"


def _work_of(own: Machine) -> Counter[str]:
    """How many programs each worker ran, by the log of the run."""
    found: Counter[str] = Counter()
    for log in (own.folder / "demo" / "work" / "logs").iterdir():
        events = map(json.loads, log.read_text("utf-8").splitlines())
        found.update(event["worker"] for event in events if event.get("worker"))
    return found
