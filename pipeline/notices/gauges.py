"""The figures of a night as a text file for Prometheus.

node_exporter's textfile collector reads the file (the format is that of
prometheus.io/docs/instrumenting/exposition_formats).  It refuses time stamps beside a value, so
the times are values themselves.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline import publishing
from pipeline.notices.night import LABELS, Night

_STATUSES = ("accepted", "rejected", "duplicate", "failed", "pending", "withdrawn")


def write(path: Path, night: Night, last_well: float | None) -> None:
    """Write the file in one step; everybody can read it, because it holds counts only.

    :param last_well: when a night last went well, in seconds since 1970.
    :raises OSError: it can't be written.
    """
    publishing.sweep_beside(path)
    publishing.write_text(path, "".join(_lines(night, last_well)), 0o644)


def _lines(night: Night, last_well: float | None) -> Iterator[str]:
    campaign = night.campaign.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    label = f'campaign="{campaign}"'
    times = {
        "last_run_begin_timestamp_seconds": ("when the last night began", night.began.timestamp()),
        "last_run_end_timestamp_seconds": ("when the last night ended", night.ended.timestamp()),
        "last_run_seconds": ("how long the last night took", night.seconds),
        "last_run_exit_code": ("the exit code of the last night", night.exit_code),
    }
    if last_well is not None:
        times["last_good_run_timestamp_seconds"] = ("when a night last went well", last_well)
    for name, (words, value) in times.items():
        yield _head(name, words)
        yield f"footage_{name}{{{label}}} {value:.15g}\n"
    yield _head("clips", "attachments by the state of their clips")
    for status in _STATUSES:
        if status in night.counts:
            yield f'footage_clips{{{label},status="{status}"}} {night.counts[status]}\n'
    for name, words in LABELS.items():
        if name not in _STATUSES and name in night.counts:
            yield _head(name, words)
            yield f"footage_{name}{{{label}}} {night.counts[name]}\n"


def _head(name: str, words: str) -> str:
    return f"# HELP footage_{name} {words}\n# TYPE footage_{name} gauge\n"
