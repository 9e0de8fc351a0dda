"""The service: units that systemd accepts, with walls, secrets and limits."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from support.command_scene import CommandScene, begin, config, footage

from pipeline.commands.units import ServicePlan, units

USER = "daemon"


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    made = begin(tmp_path_factory.mktemp("service") / "campaign 100% $HOME", {"Words": {}})
    assert made.footage("ingest").code == 0
    return made


def written(campaign: CommandScene, folder: Path, *options: str) -> Path:
    said = campaign.footage("service", "install", "--to", str(folder), *options)
    assert said.code == 0, said.err
    return folder


@pytest.mark.parametrize("options", [(), ("--run-as", USER)])
def test_systemd_accepts_the_units(
    campaign: CommandScene, tmp_path: Path, options: tuple[str, ...]
) -> None:
    folder = written(
        campaign,
        tmp_path,
        *options,
        *("--credential", "FOOTAGE_IMAP_PASSWORD=/etc/hostname"),
        *("--memory", "8G", "--cpu", "150%", "--hours", "10"),
    )
    names = ["footage.service", "footage-failed.service", "footage.timer"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *(str(folder / n) for n in names)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # the night can't start without the file of a secret; what announces that can
    empty = "SetCredential=FOOTAGE_IMAP_PASSWORD:\\n\n"
    assert [name for name in names if empty in (folder / name).read_text()] == [names[1]]


ODD = '/srv/c%h $X "q" \\b\'s'


def test_systemd_reads_each_path_as_it_is(tmp_path: Path) -> None:
    """What systemd understood is in its complaint: a path must be absolute."""
    plan = ServicePlan(
        name="odd",
        title="River 100% \\",
        command=(f"{ODD}/python",),
        config=Path(ODD, "config.toml"),
        at="02:15",
        user=USER,
        writable=[Path(ODD, "work")],
        credentials=[("SECRET", Path(ODD, "secret"))],
    )
    text = units(plan)["odd.service"].replace('ReadWritePaths="/', 'ReadWritePaths="')
    (tmp_path / "odd.service").write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(tmp_path / "odd.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"ReadWritePaths= path is not absolute, ignoring: {ODD[1:]}/work\n" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert 'ExecStart=/usr/bin/env "/srv/c%%h $$X ' in text
    assert f"LoadCredential=SECRET:{ODD.replace('%', '%%')}/secret\n" in text


def test_it_may_write_into_each_folder_of_the_configuration(tmp_path: Path) -> None:
    drop, gauges, store = (tmp_path / name for name in ("drop", "gauges", "store 100% of it"))
    more = f"""[workspace]
store = "file://{quote(str(store))}"
[notify]
prometheus = "{gauges}/footage.prom"
"""
    inbox = f'folder:{drop}"\nprocessed_folder = "{drop / "done"}'
    campaign = begin(tmp_path / "it", {}, config(more, inbox=inbox))
    drop.mkdir()
    assert campaign.footage("ingest").code == 0
    options = ("service", "install", "--to", str(tmp_path / "units"), "--run-as", USER)
    said = campaign.footage(*options)
    assert (said.code, f"the folder {drop / 'done'} does not exist" in said.err) == (2, True)
    (drop / "done").mkdir()
    gauges.mkdir()
    assert campaign.footage(*options).code == 0
    text = (tmp_path / "units" / "footage.service").read_text().replace("%%", "%")
    found = set(re.findall(r"^ReadWritePaths=\"?(.*?)\"?$", text, re.MULTILINE))
    assert found == set(map(str, (campaign.work, drop, drop / "done", gauges, store)))


def test_its_walls_are_rated_below_four(campaign: CommandScene, tmp_path: Path) -> None:
    folder = written(campaign, tmp_path, "--run-as", USER)
    for name in ("footage.service", "footage-failed.service"):
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", str(folder / name)],
            capture_output=True,
            text=True,
            check=True,
        )
        (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
        assert float(level) < 4.0, done.stdout
        # systemd 252 leaves /run writable beside ProtectControlGroups=
        walls = {"ReadOnlyPaths=/run", "TemporaryFileSystem=/dev/shm:mode=1777"}
        walls |= {"ProtectKernelTunables=yes", "ProtectProc=invisible", "PrivateIPC=yes"}
        assert walls <= set((folder / name).read_text().splitlines())


def test_the_command_of_the_unit_runs(campaign: CommandScene, tmp_path: Path) -> None:
    """systemd's quoting is that of a shell, but for "$$" and "%%"."""
    text = (written(campaign, tmp_path) / "footage.service").read_text()
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert str(campaign.folder).replace("%", "%%").replace("$", "$$") in line
    line = line.replace("%%", "%").replace("$$", "\\$")
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert campaign.footage("status", "--json").data["last_night"]["exit_code"] == 0


def test_the_line_for_cron_runs(campaign: CommandScene) -> None:
    line = campaign.footage("service", "show", "--cron", "--at", "03:05").out
    assert line.startswith("5 3 * * *  ")
    call = line.removeprefix("5 3 * * *  ").replace("\\%", "%")
    done = subprocess.run(["/bin/sh", "-c", call], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_remove_deletes_what_install_wrote(campaign: CommandScene, tmp_path: Path) -> None:
    folder = written(campaign, tmp_path, "--name", "river")
    (folder / "other.service").write_text("[Service]\n")
    said = campaign.footage("service", "remove", "--to", str(folder), "--name", "river")
    assert said.code == 0
    assert [path.name for path in folder.iterdir()] == ["other.service"]
    again = campaign.footage("service", "remove", "--to", str(folder), "--name", "river")
    assert again.code == 2
    assert "there is no service 'river'" in again.err


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (("--at", "25:00"), "--at must be a time of day"),
        (("--name", "a b"), "--name must consist of"),
        (("--memory", "much"), "--memory must be a size"),
        (("--cpu", "0%"), "--cpu must be a share"),
        (("--memory", "0"), "--memory must be a size"),
        (("--cpu", "2"), "--cpu must be a share"),
        (("--run-as", "no-such-user"), "there is no user 'no-such-user'"),
        (("--credential", "PASSWORD"), "--credential must be NAME=FILE"),
        (("--credential", "A=/b\nExecStart=/c"), "systemd can't use the path"),
        (("--credential", "A=/b\\"), "systemd can't use the path"),
        (("--credential", "A%=/x"), "--credential must be NAME=FILE"),
    ],
)
def test_a_wrong_option_is_named(
    campaign: CommandScene, options: tuple[str, ...], fault: str
) -> None:
    said = campaign.footage("service", "show", *options)
    assert said.code == 2
    assert fault in said.err


def test_a_unit_of_somebody_else_stays(campaign: CommandScene, tmp_path: Path) -> None:
    unit = tmp_path / "river.service"
    unit.write_text("[Service]\n")
    call = ("--to", str(tmp_path), "--name", "river")
    for verb in ("install", "remove"):
        said = campaign.footage("service", verb, *call)
        assert said.code == 2
        assert f"{unit} was not written by this program" in said.err
    assert unit.read_text() == "[Service]\n"
    assert campaign.footage("service", "install", *call, "--force").code == 0
    assert campaign.footage("service", "install", *call).code == 0, "now it is ours"


def test_a_credential_without_its_file_is_named(campaign: CommandScene, tmp_path: Path) -> None:
    said = campaign.footage("service", "install", "--to", str(tmp_path), "--credential", "B=/none")
    assert said.code == 2
    assert "--credential B: the file /none does not exist" in said.err
    assert not list(tmp_path.iterdir())


def test_there_must_be_a_workspace(tmp_path: Path) -> None:
    made = begin(tmp_path / "new", {})
    said = made.footage("service", "install", "--to", str(tmp_path / "units"))
    assert said.code == 2
    assert "begin with: footage run" in said.err
    assert not (tmp_path / "units").exists()


def test_help_names_what_there_is() -> None:
    said = footage("service", "--help")
    assert said.code == 0
    assert {"show", "install", "remove"} <= set(said.out.split())
    assert "failed" not in said.out.split()
