"""Modules that take long to load, loaded when something of them is first used.

A night without new footage decodes nothing and draws nothing, so it need not wait for
numpy, Pillow and the fonts.
"""

from __future__ import annotations

import sys
from importlib import util
from types import ModuleType


def late(name: str) -> ModuleType:
    """The module *name*, which is executed at the first look into it.

    :raises ModuleNotFoundError: there is none.
    """
    if name in sys.modules:
        return sys.modules[name]
    spec = util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"there is no module {name}")
    spec.loader = util.LazyLoader(spec.loader)
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
