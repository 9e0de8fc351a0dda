"""The modules of the page's script are joined into one, or the report is not built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.browser import Reader, browser, reader

from pipeline.review import bundle, entrance, page

__all__ = ["browser", "reader"]  # fixtures

ASSETS = Path(page.__file__).parent / "assets"


def joined(**modules: str) -> str:
    """The script of modules given as ``name="source"``, of which main is the first."""

    def read(name: str) -> str:
        try:
            return modules[name.removesuffix(".js")]
        except KeyError as error:
            raise FileNotFoundError(name) from error

    return bundle.joined("main.js", read)


def test_modules_keep_their_private_names_and_run_once(reader: Reader, tmp_path: Path) -> None:
    script = joined(
        main='import { next as following } from "./count.js";\nimport { log } from "./log.js";\n'
        "const value = 7;\nlog(value, following(), following());\n",
        count="const value = { now: 0 };\nexport function next() {\n  value.now += 1;\n"
        "  return value.now;\n}\n",
        log='import { next } from "./count.js";\n'
        "export const log = (...values) => {\n"
        '  document.title = [...values, next()].join(" ");\n};\n',
    )
    (tmp_path / "index.html").write_text(f"<!doctype html><script>{script}</script>")
    tab, watch = reader.open(tmp_path / "index.html")
    assert tab.title() == "7 1 2 3"
    assert tab.evaluate("typeof next + typeof value + typeof module_main") == "undefined" * 3
    assert watch.errors == []


@pytest.mark.parametrize(
    ("modules", "problem"),
    [
        ({"main": 'import { b } from "./a.js";', "a": "const b = 1;"}, "does not export it"),
        ({"main": 'import { b } from "./a.js";'}, "can't be read"),
        (
            {"main": 'import { b } from "./a.js";', "a": 'import { c } from "./main.js";'},
            "main.js imports a.js imports main.js: a circle",
        ),
        ({"main": 'import b from "./a.js";', "a": "export const b = 1;"}, "not a form"),
        ({"main": 'import { b } from "elsewhere";'}, "not a form"),
        ({"main": "export default 1;"}, "not a form"),
        # the importing module would keep the value that it had when it was imported
        ({"main": "export let a = 1;"}, "not a form"),
        (
            {"main": 'import { b-c } from "./a.js";', "a": "export const b = 1;"},
            "can't be imported",
        ),
    ],
)
def test_wrong_import_or_export_fails_the_build(modules: dict[str, str], problem: str) -> None:
    with pytest.raises(bundle.BundleError, match=re.escape(problem)):
        joined(**modules)


def test_every_module_and_style_is_in_the_page() -> None:
    html = page.asset("index.html")
    assert html.count("<script>{{script}}</script>") == 1
    script = bundle.joined(page.ENTRY, page.asset) + bundle.joined(entrance.ENTRY, page.asset)
    for path in ASSETS.glob("*.js"):
        assert f"const module_{path.stem} = " in script
    assert "</script" not in script
    assert {path.name for path in ASSETS.glob("*.css")} == set(page.STYLES)


# -- the texts --------------------------------------------------------------------------------

# The first argument of a call that takes the key of a text; ${…} stands for any code.
_CALL = re.compile(r'\b(?:textOf|textAround)\(\s*(?:"([^"]+)"|`([^`]+)`)')
_LITERAL = re.compile(r'"([\w.-]+)"|`(\w(?:[\w.-]|\$\{[^}]*\})+)`')
_FAMILY = re.compile(r'textOfCode\("(\w+)"')


def pattern(literal: str) -> str:
    """A key, or a pattern of keys where a part of it is a code."""
    parts = re.split(r"\$\{[^}]*\}", literal)
    return r"[\w.-]+".join(map(re.escape, parts))


def literals(expression: re.Pattern[str]) -> set[str]:
    sources = [path.read_text("utf-8") for path in ASSETS.glob("*.js")]
    found = (match for source in sources for match in expression.finditer(source))
    return {pattern(next(filter(None, match.groups()))) for match in found}


def slots() -> set[str]:
    pages = page.asset("index.html") + page.asset("entrance.html")
    return set(re.findall(r"\{\{t\.([\w.]+)\}\}", pages))


def test_every_text_that_is_used_exists() -> None:
    keys = page.texts().keys()
    assert slots() <= keys
    used = literals(_CALL)
    assert len(used) > 80
    assert [text for text in used if not any(re.fullmatch(text, key) for key in keys)] == []


def test_every_text_is_used() -> None:
    families = {rf"{family}\.[\w-]+" for family in literals(_FAMILY)}
    used = "|".join({*literals(_LITERAL), *families})
    known = slots() | {"locale", "entrance.problem"}
    assert [key for key in page.texts() if key not in known and not re.fullmatch(used, key)] == []
