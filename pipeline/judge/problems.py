"""The list of problems of a file, which grows until a judge can't continue."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from pipeline.errors import NotClean
from pipeline.judge.walk import BoxError

FactsT = TypeVar("FactsT")


class Problems:
    """Problems by kind, each once, in the order they were found."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def need(self, holds: object, problem: str) -> None:
        """Note *problem* unless the condition *holds*."""
        if not holds:
            self.note(problem)

    def note(self, problem: str) -> None:
        """Note *problem*, once."""
        if problem not in self.found:
            self.found.append(problem)

    def stop(self) -> None:
        """Stop judging if there are problems.

        :raises NotClean: with all that was found.
        """
        if self.found:
            raise NotClean(self.found)


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open the file at a path; one that is open already is read from its start, and stays open."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        source.seek(0)
        yield source


def judged(judge: Callable[[Problems], FactsT]) -> FactsT:
    """Return what *judge* returns, if it notes no problem and can read to the end.

    :raises NotClean: with all that was found until then.
    """
    problems = Problems()
    try:
        facts = judge(problems)
    except NotClean as error:
        for problem in error.problems:
            problems.note(problem)
        raise NotClean(problems.found) from error
    except BoxError as error:
        problems.note(f"broken boxes: {error}")
        raise NotClean(problems.found) from error
    except (struct.error, IndexError) as error:
        # a field is missing at the end of its part, so the file is not clean
        problems.note("a part that is cut off")
        raise NotClean(problems.found) from error
    problems.stop()
    return facts
