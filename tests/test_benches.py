"""``make bench`` runs every bench, and fails if one of them failed."""

from __future__ import annotations

from pathlib import Path

from bench import __main__ as benches


def test_every_bench_and_each_of_its_modes_runs() -> None:
    commands = benches.commands()
    modules = {words[0].split(".")[1] for words in commands}
    folder = Path(benches.__file__).parent
    assert modules >= {path.stem for path in folder.glob("[!_]*.py")}
    modes = [words[1:] for words in commands if words[0] == "bench.faults"]
    assert modes == [("walk",), ("kills",), ("full",)]


def test_benches_that_fail_are_named_after_all_ran(tmp_path: Path) -> None:
    source, broken = tmp_path / "source.py", tmp_path / "broken.py"
    source.write_text("True\n")
    broken.write_text("(\n")
    commands = [
        ("py_compile", str(broken)),
        ("no_such_bench",),
        ("py_compile", str(source)),
    ]
    named = benches.failed(commands)
    assert named == [f"py_compile {broken} (exit code 1)", "no_such_bench (exit code 1)"]
    assert list(tmp_path.glob("__pycache__/source.*"))
