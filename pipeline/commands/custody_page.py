"""The chronology of a clip as a page: one HTML file without scripts, which needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.commands.custody import Chronology, ChronologyLine
    from pipeline.commands.stamping import StampedEvent

_HIDDEN = ("run", "version", "outputs")
_STATES = {
    "kept": "kept",
    "purged": "deleted, because its days were over",
    "withdrawn": "taken back by its sender and deleted",
    "lost": "lost",
}


def verdict(told: Chronology) -> str:
    """Whether the chain holds, in one sentence, and where it breaks first."""
    if not told.breaks and told.is_ledger_older:
        return (
            "The ledger is older than its logs, or its chain was made again: events may be missing "
            f"from this chronology. {told.head.number} events are there, the newest is {told.head}."
        )
    if not told.breaks:
        return f"The chain of custody holds: {told.head.number} events, the newest is {told.head}."
    first = told.breaks[0]
    more = f" There are {len(told.breaks)} such places." if len(told.breaks) > 1 else ""
    return f"The chain of custody does not hold. Event {first.number}: {first.what}.{more}"


def bad_stamps(told: Chronology) -> list[StampedEvent]:
    """The time stamps that prove nothing, or whose event the chain does not have."""
    return [each for each in told.stamps if each.fault or each.is_cut]


def stamp_lines(told: Chronology) -> list[str]:
    """What the time stamps prove: the first after this clip came in, and the newest."""
    first = told.lines[0].event.number if told.lines else 0
    good = [each for each in told.stamps if not each.fault and not each.is_cut]
    covering = sorted((it for it in good if it.number >= first), key=lambda it: it.number)
    said = [_stamped(each) for each in dict.fromkeys((*covering[:1], *covering[-1:]))]
    for each in bad_stamps(told):
        fault = "the chain does not have its event" if each.is_cut else each.fault
        said.append(f"The time stamp {each.path} proves nothing: {fault}.")
    if told.unchecked:
        said.append(f"The time stamps were not checked: {told.unchecked}.")
    return said


def _stamped(each: StampedEvent) -> str:
    by = f" by {each.authority}" if each.authority else ""
    return f"The events up to {each.number} were there at {each.at}, stamped{by}."


def page(told: Chronology) -> str:
    """Write the page."""
    template = resources.files("pipeline.commands").joinpath("custody.html").read_text("utf-8")
    state = _STATES.get(told.state or "", "not known")
    return Template(template).substitute(
        name=told.sha256[:12],
        sha256=_hash(told.sha256),
        state=escape(state),
        written_at=_time(told.written_at),
        verdict=escape(verdict(told)),
        stamps="".join(f"<p>{escape(line)}</p>" for line in stamp_lines(told)),
        verdict_class="broken" if told.breaks or told.is_ledger_older else "holds",
        received="".join(
            f"<li>{_time(at)}, submission <code>{escape(mail)}</code></li>"
            for mail, at in told.received.items()
        )
        or "<li>not known</li>",
        files="".join(
            f"<tr><td><code>{escape(each.path)}</code></td><td>{_hash(each.sha256)}</td>"
            f"<td>{escape(each.state)}</td></tr>"
            for each in told.files
        ),
        breaks="".join(f"<li>Event {each.number}: {escape(each.what)}</li>" for each in told.breaks)
        or "<li>none</li>",
        events="".join(map(_row, told.lines)),
    )


def _row(line: ChronologyLine) -> str:
    event = line.event
    mark = " <strong>This event was changed.</strong>" if line.is_broken else ""
    return (
        f'<tr{" class=broken" if line.is_broken else ""}><th scope="row">{event.number}</th>'
        f"<td>{_time(event.at)}</td><td>{escape(line.text)}{mark}{''.join(_details(line))}</td>"
        f"<td>{'<br>'.join(map(_marked, line.made_with))}</td><td>{_hash(event.hash)}</td></tr>"
    )


def _details(line: ChronologyLine) -> Iterator[str]:
    shown = {key: value for key, value in line.facts.items() if key not in _HIDDEN}
    if line.event.subject:
        shown = {"of": line.event.subject, **shown}
    outputs = line.facts.get("outputs")
    if isinstance(outputs, dict):
        shown |= {f"output {name}": digest for name, digest in outputs.items()}
    if shown:
        items = (f"<dt>{escape(key)}</dt><dd>{_marked(value)}</dd>" for key, value in shown.items())
        yield f"<details><summary>Details</summary><dl>{''.join(items)}</dl></details>"


def _marked(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"<code>{escape(text)}</code>"


def _hash(digest: str) -> str:
    return f'<code class="hash">{escape(digest)}</code>'


def _time(at: str) -> str:
    shown = escape(at.replace("T", " ").removesuffix("Z"))
    return f'<time datetime="{escape(at)}">{shown} UTC</time>'
