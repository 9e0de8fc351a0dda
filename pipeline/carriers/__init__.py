"""What does this file give away?  Pure-Python readers of hostile bytes.

:func:`find` is the question.  ``readers`` holds one module a file format, each with
``read(window) -> Iterator[Finding]``; a table of formats names them.  ``containers`` holds one
walker a container format, shared by the readers and by all other code that looks into a file.

Readers work by allow-list: they pass over what picture and sound need, and report everything
else; what no standard names is an ``unknown part``.  No reader keeps, logs or raises a value
that it read.
"""

from pipeline.carriers.search import Reader, find
from pipeline.carriers.window import BudgetSpent, Window

__all__ = ["BudgetSpent", "Reader", "Window", "find"]
