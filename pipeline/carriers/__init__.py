"""What does this file give away?  Pure-Python readers of hostile bytes.

:func:`find` is the question; README.md says how the readers work.  No reader keeps, logs or
raises a value that it read.
"""

from pipeline.carriers.search import Reader, find
from pipeline.carriers.window import BudgetSpent, ReadBudget, Window

__all__ = ["BudgetSpent", "ReadBudget", "Reader", "Window", "find"]
