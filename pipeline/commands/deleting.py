"""Deletes files, and names those that can't be deleted instead of stopping at the first."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.commands.ending import Facts
from pipeline.errors import StageError, StoreError, reason_of
from pipeline.publishing import PART
from pipeline.removal import removed
from pipeline.run import Run

_MOST_NAMED = 5  # in the sentence; the lines before it name all


class Deletion:
    """Files that are deleted one after the other; ``failed`` has the reason of each that stays."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.failed: dict[str, str] = {}
        # if the store does not answer once, it is not asked again: each try takes minutes
        self._away: StoreError | None = None

    def delete(self, path: Path) -> bool:
        """Delete a file; True if it is gone."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self._note(self._run.workspace.relative(path), reason_of(error))
            return False
        return True

    def delete_stored(self, key: str) -> bool:
        """Delete an object beyond the workspace folder; True if it is gone."""
        try:
            if self._away is not None:
                raise self._away
            self._run.store.delete(key)
        except StoreError as error:
            self._away = error
            self._note(stored_name(self._run, key), str(error))
            return False
        return True

    def delete_folder(self, folder: Path) -> None:
        """Delete a folder with all that is in it."""
        if not removed(folder) and not any(
            name.startswith(f"{self._run.workspace.relative(folder)}/") for name in self.failed
        ):
            name = self._run.workspace.relative(folder)
            self._note(name, "something in it can't be deleted")

    def _note(self, name: str, reason: str) -> None:
        self.failed[name] = reason
        self._run.console.warn(f"can't delete {name}: {reason}")

    def raise_for_failures(self, facts: Facts) -> None:
        """End the command if something could not be deleted.

        :param facts: what was done.
        :raises StageError: the text names the first of the files.
        """
        if not self.failed:
            return
        is_beyond, beyond = self._run.store.is_beyond, stored_name(self._run, "")
        stored = [name for name in self.failed if is_beyond and name.startswith(beyond)]
        here = [name for name in self.failed if name not in stored]
        said = [f"{_first(here)} in {self._run.workspace.root}"] if here else []
        said += [_first(stored)] if stored else []
        error = StageError(
            f"not everything could be deleted: {'; '.join(said)}. Delete it by hand, or call the "
            "same command again"
        )
        error.facts = {**facts, "not_deleted": self.failed}
        raise error


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"


def stored_name(run: Run, key: str) -> str:
    """How people name an object in the store."""
    return f"{run.config.workspace.store.rstrip('/')}/{key}"


def all_files(folder: Path) -> Iterator[Path]:
    """The files below a folder, none if there is no folder; without what is temporary."""
    for inner, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.endswith(PART)]
        yield from (Path(inner, name) for name in names)
