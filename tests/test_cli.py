"""Commands from end to end: the demo, signals, and what ends in a sentence instead of a traceback."""

import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import ganforge
from ganforge.cli import app
from ganforge.errors import GanforgeError, RunError, TrainingError, UsageError
from ganforge.files import quoted
from ganforge.training.stopping import stoppable
from systems_tiny import TINY, write_pictures

demo_module = import_module("ganforge.cli.demo")  # the package's attribute of that name is the command
QUICK = {"recipe": "dcgan", "size": 16, "settings": TINY["dcgan"], "observers": []}
posix = pytest.mark.skipif(sys.platform == "win32", reason="these signals are POSIX's")


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("GANFORGE_WORKERS", "1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANFORGE_CACHE", str(folder / "cache"))
        pictures = write_pictures(folder / "pictures", 40)
        return ganforge.train(pictures, images=80, out=folder / "run", **QUICK).path


@pytest.fixture
def copied(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def ganforge_process(*arguments: str, **more) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ganforge", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )


def ended(*arguments: str, **more) -> tuple[int, str]:
    child = ganforge_process(*arguments, **more)
    out, err = child.communicate(timeout=120)
    told = (out + err).decode("utf-8", "replace")
    assert "Traceback" not in told
    return child.returncode, told


# --- the demo ---------------------------------------------------------------------------------------------------------


def test_the_demo_makes_its_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo_module, "DEMO_PICTURES", 64)
    demo_module.demo(minutes=0.05, out=tmp_path / "a demo", seed=1, open_page=False)
    page = tmp_path / "a demo" / "index.html"
    assert capsys.readouterr().out.splitlines()[-1] == f"The page: {page.resolve()}"
    source = page.read_text(encoding="utf-8")
    assert "data:video/mp4" in source
    words = html.unescape(re.sub(r"<[^>]*>", "", source))
    run = quoted(tmp_path / "a demo")
    for promised in (
        "ganforge train PICTURES",
        f"ganforge resume {run} --minutes 20",
        "Losses",
        "The critic's verdicts",
    ):
        assert promised in words
    with pytest.raises(UsageError, match="already"):
        demo_module.demo(minutes=0.05, out=tmp_path / "a demo", seed=1, open_page=False)


# --- signals ----------------------------------------------------------------------------------------------------------


@posix
def test_what_is_ignored_stays_ignored():
    """``nohup ganforge train … &``: the terminal's end is not the run's."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.asked
            signal.raise_signal(signal.SIGTERM)
            assert stop.asked
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("command", [["evaluate", "run", "pictures"], ["compare", "a", "b"], ["turing", "m", "p"]])
def test_a_page_has_a_name_that_can_be_written(command, tmp_path):
    for out, words in (("page.pdf", "is an HTML file"), ("there.html", "is there already")):
        (tmp_path / "there.html").write_text("mine")
        done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / out)])
        assert isinstance(done.exception, UsageError)
        assert words in str(done.exception)
    assert (tmp_path / "there.html").read_text() == "mine"


def test_json_is_no_page():
    done = CliRunner().invoke(app, ["evaluate", "run", "pictures", "--json", "--out", "page.html"])
    assert isinstance(done.exception, UsageError)


@posix
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_saves_and_says_how_to_go_on(tmp_path, number):
    pictures, run = write_pictures(tmp_path / "p", 40), tmp_path / "the run"
    settings = [word for key, value in TINY["dcgan"].items() for word in ("--set", f"{key}={value}")]
    asked = ["--images", "1M", "--recipe", "dcgan", "--size", "16", *settings]
    # what is ignored here, as below nohup, would be ignored in children
    before = signal.signal(getattr(signal, number), signal.SIG_DFL)
    try:
        child = ganforge_process("train", str(pictures), *asked, "--out", str(run))
    finally:
        signal.signal(getattr(signal, number), before)
    until(lambda: (run / "log.jsonl").exists() and "report" in (run / "log.jsonl").read_text(encoding="utf-8"), child)
    child.send_signal(getattr(signal, number))
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert f"ganforge resume {quoted(run)}" in err.decode()
    assert ganforge.Run(run).state()["state"] == "interrupted"


@posix
def test_ctrl_c_while_pictures_are_read_ends_quietly(tmp_path, monkeypatch):
    """The whole process group hears it, as in a terminal: no worker may answer with a traceback."""
    monkeypatch.setenv("GANFORGE_WORKERS", "2")
    pictures = write_pictures(tmp_path / "p", 1500, side=40)
    child = ganforge_process("data", "inspect", str(pictures), start_new_session=True)
    until(lambda: children_of(child.pid), child)
    time.sleep(0.1)
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert err.decode().splitlines()[-1] == "ganforge: Stopped."
    assert b"Traceback" not in out + err


def children_of(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").strip())
    except OSError:
        return True  # a system without such a list: any moment will do


def until(true, child, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--best", "2", "--of", "4", "-n", "3"], "-n"),
        (["--best", "2", "--of", "4", "--interpolate", "c.mp4"], "--interpolate"),
        (["--grid", "a.png", "--npz", "a.png"], "same file"),
        (["-n", "1000000000"], "GiB"),
        (["--best", "1", "--of", "1000000000"], "GiB"),
    ],
)
def test_sample_refuses_what_does_not_go_together(finished, tmp_path, arguments, says):
    status, told = ended("sample", str(finished), *arguments, cwd=tmp_path)
    assert status == 2
    assert says in told
    assert list(tmp_path.iterdir()) == []


def test_no_pictures_are_not_the_current_folder(tmp_path):
    write_pictures(tmp_path, 20)
    status, told = ended("data", "inspect", "", cwd=tmp_path)
    assert status == 1
    assert "empty" in told


@posix
def test_a_pipe_is_no_collection(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    status, told = ended("data", "inspect", str(tmp_path / "fifo"))
    assert status == 1
    assert "neither a folder nor a regular file" in told


@pytest.mark.parametrize(
    "change",
    [{"seed": -5}, {"images": None}, {"replay": [{}]}, {"format": 99}, {"seconds": -1}, {"config": {"height": 16}}, []],
)
def test_a_damaged_run_json_ends_in_a_sentence(copied, change):
    file = copied / "run.json"
    before = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(before | change if isinstance(change, dict) else change), encoding="utf-8")
    with pytest.raises(RunError, match=r"run\.json") as raised:
        ganforge.resume(copied, images=80, observers=[])
    assert "pydantic" not in str(raised.value)


@pytest.mark.parametrize(
    ("file", "holds"),
    [
        ("state.json", [1, 2]),
        ("log.jsonl", {"event": "execution"}),
        ("log.jsonl", {"event": "plan", "seen": "many"}),
    ],
)
def test_other_damaged_files_are_passed_over(copied, file, holds):
    (copied / file).write_text(json.dumps(holds) + "\n", encoding="utf-8")
    ganforge.resume(copied, observers=[], images=80)
    assert ganforge.Run(copied).state()["state"] == "finished"


def test_checkpoints_without_their_positions_are_damaged_not_gone(copied):
    for position in copied.glob("checkpoints/*/position.json"):
        position.unlink()
    with pytest.raises(RunError, match="nothing was changed"):
        ganforge.resume(copied, images=80, observers=[])


def test_a_run_that_never_began_takes_the_new_budget(finished, tmp_path):
    run = ganforge.Run.create(tmp_path / "run", ganforge.Run(finished).config)
    ganforge.resume(run.path, images=240, observers=[])
    assert ganforge.Run(run.path).events("finished")[-1]["seen"] == 240


def test_pictures_that_are_gone_do_not_end_a_run_whose_pack_is_kept(tmp_path):
    pictures = write_pictures(tmp_path / "p", 40)
    run = ganforge.train(pictures, images=80, out=tmp_path / "r", **QUICK)
    pictures.rename(tmp_path / "elsewhere")
    ganforge.resume(run.path, images=80, observers=[])
    assert run.events("finished")[-1]["seen"] == 160


def test_a_batch_that_no_memory_holds_is_refused(tmp_path):
    pictures = write_pictures(tmp_path / "p", 40)
    settings = {**TINY["dcgan"], "batch_size": 50_000_000}
    with pytest.raises(TrainingError, match="batch_size"):
        ganforge.train(pictures, images=80, out=tmp_path / "r", **{**QUICK, "settings": settings})


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (64,)},
        {"size": (64.0, 64)},
        {"images": 2.5},
        {"images": None, "minutes": "3"},
        {"checkpoint_seconds": 0},
        {"images": True},
    ],
)
def test_python_mistakes_end_in_our_own_error(tmp_path, wrong):
    with pytest.raises(UsageError):
        ganforge.train("avatars:32", out=tmp_path / "r", **{**QUICK, "images": 80, **wrong})
    assert not (tmp_path / "r").exists()


def test_a_folder_of_samples_appears_whole_or_not_at_all(finished, tmp_path, monkeypatch):
    import errno

    from ganforge.model import samples as samples_module

    samples, written = ganforge.load(finished, device="cpu").sample(3), []

    def full(*arguments, **more):
        written.append(arguments)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(samples_module, "save_png", full)
    with pytest.raises(UsageError, match="out cannot be written: No space left"):
        samples.save_folder(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_npz_that_is_no_npz(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "n.npz", "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr':garbage\n")
    with pytest.raises(GanforgeError, match=r"no whole \.npz"):
        ganforge.inspect(tmp_path / "n.npz")


def test_labels_of_another_length_are_told(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "n.npz", images=rng.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8), labels=np.arange(39))
    assert any("labels has the shape (39,)" in note for note in ganforge.inspect(tmp_path / "n.npz").notes)


def test_inspect_says_when_training_would_refuse(tmp_path):
    assert any("at least 16" in note for note in ganforge.inspect(write_pictures(tmp_path / "p", 5)).notes)
