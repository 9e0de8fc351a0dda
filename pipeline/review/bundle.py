"""Joins the ES modules of the page into one script.

A browser refuses to import modules from ``file://``, and the report must open from there. So each
module becomes a function, run in the order of the imports, that returns what the module exports.
Private names stay private, and nothing is renamed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# The forms that the modules may use. Any other line that begins with import or export is refused.
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|class|(?:async )?function) (\w+)\b)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_NAME = re.compile(r"(\w+)(?: as (\w+))?")


class BundleError(Exception):
    """A module can't be joined with the others."""


@dataclass(frozen=True)
class _Module:
    """``imports`` has, by module, the imported names, each with its name in this module."""

    imports: Mapping[str, Mapping[str, str]]
    exports: tuple[str, ...]
    body: str


def joined(entry: str, read: Callable[[str], str]) -> str:
    """Join the module *entry* and all that it imports into one script.

    :param read: gives the text of a module by its file name.
    :raises BundleError: a module can't be read, has an import or export of another form, imports
        a name that is not exported, or is part of a circle.
    """
    modules: dict[str, _Module] = {}
    _add(entry, read, modules, ())
    functions = [_as_function(name, module) for name, module in modules.items()]
    return "\n".join(['(() => {\n"use strict";', *functions, "})();"])


def _add(
    name: str, read: Callable[[str], str], modules: dict[str, _Module], above: tuple[str, ...]
) -> None:
    """Add a module to *modules*, behind those that it imports."""
    if name in above:
        raise BundleError(f"{' imports '.join((*above, name))}: a circle of imports")
    if name in modules:
        return
    try:
        module = _parsed(name, read(name))
    except OSError as error:
        raise BundleError(
            f"{above[-1] if above else 'the page'} imports {name}, which can't be read"
        ) from error
    for other, names in module.imports.items():
        _add(other, read, modules, (*above, name))
        for missing in sorted(names.keys() - set(modules[other].exports)):
            raise BundleError(f"{name} imports {missing} from {other}, which does not export it")
    modules[name] = module


def _parsed(name: str, source: str) -> _Module:
    imports: dict[str, dict[str, str]] = {}
    for match in _IMPORT.finditer(source):
        for item in filter(None, map(str.strip, match[1].split(","))):
            named = _NAME.fullmatch(item)
            if named is None:
                raise BundleError(f"{name}: {item!r} can't be imported")
            imports.setdefault(match[2], {})[named[1]] = named[2] or named[1]
    body = _IMPORT.sub("", source)
    exports = tuple(match[1] for match in _EXPORT.finditer(body))
    body = _EXPORT.sub("", body)
    if other := _OTHER.search(body):
        raise BundleError(f"{name}: {other[0]!r} is not a form of import or export that is joined")
    return _Module(imports, exports, body.strip())


def _as_function(name: str, module: _Module) -> str:
    imports = "".join(
        f"const {{ {', '.join(map(': '.join, names.items()))} }} = {_variable(other)};\n"
        for other, names in module.imports.items()
    )
    return (
        f"const {_variable(name)} = (() => {{\n{imports}{module.body}\n"
        f"return {{ {', '.join(module.exports)} }};\n}})();"
    )


def _variable(name: str) -> str:
    return f"module_{name.removesuffix('.js')}"
