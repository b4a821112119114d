"""The loop from end to end on tiny nets: budgets, resume, kill, faults. Everything here really trains."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import ganforge
from ganforge import systems
from ganforge.errors import ModelError, PicturesError, RunError, TrainingError, UnknownNameError, UsageError
from ganforge.model.model import load_parts
from ganforge.training import checkpoints, frames, sizes
from ganforge.training import loop as loop_module
from ganforge.training.budget import Budget, Clock, Plan, Schedule, parse_count
from ganforge.training.sizes import choose_size, in_proportion, parse_size
from ganforge.training.stopping import Interrupted
from ganforge.training.watch import Collapse, GameWatch
from systems_tiny import OTHERS, TINY, write_pictures

STYLED = {
    "style": TINY["style"]
    | {"augment": "adaptive", "augment_kimg": "1", "gamma_least": "0.1", "mixing": "0.5", "g.noise": "true"},
    "stylegan2": TINY["stylegan2"] | {"augment_kimg": "1"},
}
"""Systems that carry a state of their own and draw more than latents."""

QUICK = {"recipe": "dcgan", "size": 16, "settings": TINY["dcgan"], "observers": []}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("数据 set") / "my pictures")


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(scope="module")
def finished(pictures, tmp_path_factory) -> ganforge.Run:
    return ganforge.train(pictures, images=1600, out=tmp_path_factory.mktemp("runs") / "a run", seed=3, **QUICK)


def same_weights(a: Path, b: Path) -> bool:
    return all(
        torch.equal(x, y)
        for name in sorted(str(file.relative_to(a).with_suffix("")) for file in a.rglob("*.safetensors"))
        for x, y in zip(
            load_file(a / f"{name}.safetensors").values(), load_file(b / f"{name}.safetensors").values(), strict=True
        )
    )


def last_checkpoint(run: Path) -> Path:
    return checkpoints.saved(run / "checkpoints")[-1]


class TestFinished:
    def test_the_folder_holds_everything(self, finished):
        there = {p.name for p in finished.path.iterdir()}
        assert there >= {
            "run.json",
            "state.json",
            "log.jsonl",
            "samples",
            "checkpoints",
            "model",
            "curves.png",
            "curves.svg",
        }
        assert there >= {"timelapse.mp4", "timelapse.gif"}
        assert finished.state()["state"] == "finished"
        assert not list(finished.path.glob("**/.partial*"))

    def test_the_log_tells_verdicts_and_hit_rate(self, finished):
        reports = finished.events("report")
        assert reports[-1]["seen"] == 1600
        for report in reports:
            assert 0 <= report["hit_rate"] <= 1
            assert set(report["verdicts"]) == {"training", "held_out", "fakes"}
            assert set(report["losses"]) == {"D", "G"}
        seen = [e["seen"] for e in finished.events() if "seen" in e]
        assert seen == sorted(seen)

    def test_every_frame_keeps_the_verdict_of_each_seed(self, finished):
        samples = finished.events("sample")
        assert samples[0]["seen"] == 0
        assert samples[-1]["fraction"] == 1
        assert all(len(s["verdicts"]) == 64 and (finished.path / s["file"]).exists() for s in samples)

    def test_the_model_samples_as_the_last_frame_shows(self, finished):
        from PIL import Image

        from ganforge.drawing.grids import untile

        model = ganforge.load(finished.path, device="cpu")
        with Image.open(finished.path / finished.events("sample")[-1]["file"]) as sheet:
            shown = untile(np.asarray(sheet.convert("RGB")), 16, 16)
        made = model.sample(64, 0).pictures
        assert np.abs(made.astype(int) - shown.astype(int)).mean() < 3  # the frame may be computed in bfloat16

    def test_the_newest_two_and_the_last_of_each_quarter_stay(self, finished, pictures, tmp_path):
        run = ganforge.train(pictures, images=1600, out=tmp_path / "r", checkpoint_seconds=1e-3, **QUICK)
        kept = [
            json.loads((c / "position.json").read_text())["fraction"]
            for c in checkpoints.saved(run.path / "checkpoints")
        ]
        assert kept[-1] == 1.0
        assert len(kept) <= 6
        for quarter in range(4):
            assert any(quarter <= 4 * f <= quarter + 1 for f in kept)

    def test_averaged_weights_are_not_the_raw_ones(self, finished):
        checkpoint = last_checkpoint(finished.path)
        averaged = load_file(checkpoint / "model" / "generator.safetensors")
        raw = load_file(checkpoint / "training.safetensors")
        assert not torch.equal(averaged["project.weight"], raw["nets.generator.project.weight"])


class TestResume:
    def test_interrupted_and_resumed_equals_uninterrupted_bit_for_bit(self, finished, pictures, tmp_path):
        out = tmp_path / "run"

        def stop(event):
            if event["event"] == "report" and 500 < event["seen"] < 1000:
                signal.raise_signal(signal.SIGINT)

        with pytest.raises(Interrupted):
            ganforge.train(pictures, images=1600, out=out, seed=3, **{**QUICK, "observers": [stop]})
        run = ganforge.Run(out)
        assert run.state()["state"] == "interrupted"
        assert run.events("checkpoint")[-1]["seen"] < 1000
        ganforge.resume(out, observers=[])
        assert same_weights(last_checkpoint(out), last_checkpoint(finished.path))
        ours, theirs = (
            [(e["seen"], e["losses"]) for e in r.events("report") if e["seen"] > 1000] for r in (run, finished)
        )
        assert ours == theirs

    def test_replaying_a_logged_plan_gives_the_same_run(self, pictures, tmp_path):
        first = ganforge.train(pictures, minutes=0.05, out=tmp_path / "a", **QUICK)
        again = ganforge.train(pictures, replay=first.path, out=tmp_path / "b", **QUICK)
        assert again.events("finished")[-1]["seen"] == first.events("finished")[-1]["seen"]
        assert same_weights(last_checkpoint(first.path), last_checkpoint(again.path))

    def test_a_replay_goes_through_extensions(self, pictures, tmp_path):
        first = ganforge.train(pictures, images=160, out=tmp_path / "a", **QUICK)
        ganforge.resume(first.path, images=160, observers=[])
        again = ganforge.train(pictures, replay=first.path, out=tmp_path / "b", **QUICK)
        assert again.events("finished")[-1]["seen"] == 320
        assert same_weights(last_checkpoint(first.path), last_checkpoint(again.path))
        third = ganforge.train(pictures, replay=again.path, out=tmp_path / "c", **QUICK)
        assert same_weights(last_checkpoint(first.path), last_checkpoint(third.path))

    def test_an_extension_survives_a_death_before_its_first_checkpoint(self, pictures, tmp_path, monkeypatch):
        run = ganforge.train(pictures, images=160, out=tmp_path / "r", **QUICK)

        def die(*_, **__):
            raise RuntimeError("power cut")

        monkeypatch.setattr(loop_module, "run_step", die)
        with pytest.raises(RuntimeError):
            ganforge.resume(run.path, images=320, observers=[])
        monkeypatch.undo()
        ganforge.resume(run.path, observers=[])
        assert run.events("finished")[-1]["seen"] == 480

    def test_no_whole_checkpoint_left_is_an_error_that_changes_nothing(self, pictures, tmp_path):
        run = ganforge.train(pictures, images=160, out=tmp_path / "r", **QUICK)
        for checkpoint in checkpoints.saved(run.path / "checkpoints"):
            (checkpoint / "training.safetensors").write_bytes(b"nonsense")
        log = (run.path / "log.jsonl").read_bytes()
        with pytest.raises(RunError, match="damaged"):
            ganforge.resume(run.path, images=80, observers=[])
        assert (run.path / "log.jsonl").read_bytes() == log

    def test_a_finished_run_without_its_drawings_draws_them(self, pictures, tmp_path):
        run = ganforge.train(pictures, images=80, out=tmp_path / "r", **QUICK)
        for name in ("timelapse.gif", "timelapse.mp4", "curves.png", "curves.svg"):
            (run.path / name).unlink()
            ganforge.resume(run.path, observers=[])
            assert (run.path / name).exists()
        with pytest.raises(RunError, match="finished"):
            ganforge.resume(run.path, observers=[])
        run.set_state("finished")  # what a death before the end of the drawing leaves behind
        ganforge.resume(run.path, observers=[])
        assert run.state()["drawn"]

    def test_a_checkpoint_moved_aside_comes_back(self, pictures, tmp_path):
        """Killed between the two renames that replace a checkpoint of the same name."""
        run = ganforge.train(pictures, images=160, out=tmp_path / "r", **QUICK)
        newest = last_checkpoint(run.path)
        newest.replace(newest.with_name(f".old-{newest.name}"))
        checkpoints.sweep(run.path / "checkpoints")
        assert last_checkpoint(run.path) == newest

    def test_a_finished_run_gets_more(self, pictures, tmp_path):
        run = ganforge.train(pictures, images=400, out=tmp_path / "r", **QUICK)
        with pytest.raises(RunError, match="finished"):
            ganforge.resume(run.path, observers=[])
        ganforge.resume(run.path, images=400, observers=[])
        assert run.events("finished")[-1]["seen"] == 800
        restart = run.events("resume")[-1]
        assert restart["fraction"] == pytest.approx(0.5)
        fractions = [e["fraction"] for e in run.events("report") if e["seen"] > 400]
        assert fractions == sorted(fractions)

    def test_killed_before_the_first_checkpoint_starts_again(self, finished, tmp_path, pictures):
        run = ganforge.Run.create(tmp_path / "r", finished.config)
        ganforge.resume(run.path, observers=[])
        assert same_weights(last_checkpoint(run.path), last_checkpoint(finished.path))

    def test_a_damaged_checkpoint_is_passed_over(self, pictures, tmp_path):
        run = ganforge.train(pictures, images=800, out=tmp_path / "r", checkpoint_seconds=1e-3, **QUICK)
        newest = last_checkpoint(run.path) / "training.safetensors"
        data = bytearray(newest.read_bytes())
        data[-5] ^= 0xFF
        newest.write_bytes(data)
        ganforge.resume(run.path, images=80, observers=[])
        resumed = run.events("resume")[-1]
        assert resumed["seen"] < 800
        assert "damaged" in resumed["passed_over"][0]

    def test_changed_pictures_are_refused(self, tmp_path):
        folder = write_pictures(tmp_path / "p", 24)
        run = ganforge.train(folder, images=80, out=tmp_path / "r", **QUICK)
        (folder / "000.png").unlink()
        with pytest.raises(RunError, match="changed"):
            ganforge.resume(run.path, images=80, observers=[])

    def test_two_processes_do_not_train_one_run(self, finished):
        holder = (
            "import sys; from pathlib import Path; from filelock import FileLock\n"
            f"lock = FileLock(Path({str(finished.path)!r}) / '.lock'); lock.acquire(); print('held', flush=True)\n"
            "sys.stdin.read()"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert child.stdout.readline() == "held\n"
            with pytest.raises(RunError, match="being trained"):
                ganforge.resume(finished.path, images=80, observers=[])
        finally:
            child.communicate("")

    @pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a signal of POSIX systems")
    @pytest.mark.parametrize("moment", [0.0, 0.11, 0.37])
    def test_kill_9_at_any_moment_loses_at_most_an_interval(self, pictures, tmp_path, moment):
        out = tmp_path / "run"
        program = (
            "import ganforge, sys; from systems_tiny import TINY\n"
            f"ganforge.train({str(pictures)!r}, images=200_000, out={str(out)!r}, recipe='dcgan', size=16,"
            "settings=TINY['dcgan'], observers=[], checkpoint_seconds=0.3)"
        )
        child = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path_for_children()})
        try:
            until(lambda: len(saved_in(out)) >= 2, child)
            time.sleep(moment)
        finally:
            child.kill()
            child.wait()
        newest = saved_in(out)[-1]
        heard = []
        with pytest.raises(Interrupted):
            ganforge.resume(out, observers=[heard.append, stop_after(3)])
        resumed = next(e for e in heard if e["event"] == "resume")
        assert resumed["seen"] == int(newest.name)
        assert not list((out / "checkpoints").glob(".partial*"))
        assert ganforge.load(out, device="cpu").sample(2).pictures.shape == (2, 16, 16, 3)


def saved_in(run: Path) -> list[Path]:
    return checkpoints.saved(run / "checkpoints") if (run / "checkpoints").exists() else []


def until(true, child, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert child.poll() is None, "the training ended by itself"
        assert time.monotonic() < end
        time.sleep(0.02)


def path_for_children() -> str:
    here = Path(__file__).parent
    return os.pathsep.join([str(here), str(here.parent / "src"), os.environ.get("PYTHONPATH", "")])


def stop_after(reports: int):
    left = [reports]

    def hear(event):
        if event["event"] in ("report", "tick"):
            left[0] -= 1
            if left[0] <= 0:
                signal.raise_signal(signal.SIGINT)
                left[0] = 10**9

    return hear


@pytest.fixture
def others(monkeypatch):
    """Systems of other shapes, known by name as if they stood in ganforge.systems."""
    known = {**systems.recipes(), **OTHERS}
    monkeypatch.setattr(systems, "recipes", lambda: known)


class TestOtherSystems:
    def test_one_net_alone_is_trained_judged_and_saved(self, others, tmp_path):
        pictures = write_pictures(tmp_path / "p", 200)
        run = ganforge.train(pictures, images=1200, recipe="one_turn", size=16, out=tmp_path / "r", observers=[])
        held_out = [report["held_out_losses"]["net"] for report in run.events("report")]
        assert held_out[-1] < 0.5 * held_out[0]
        assert not run.events("sample")
        assert (run.path / "curves.png").exists()
        with pytest.raises(ModelError, match="draws no pictures"):
            ganforge.load(run.path)
        card, parts = load_parts(run.path / "model")
        assert (card.kind, list(parts)) == ("net", ["net"])

    @pytest.mark.parametrize(("recipe", "settings"), [*((name, {}) for name in OTHERS), *STYLED.items()])
    def test_they_resume_bit_for_bit(self, others, recipe, settings, pictures, tmp_path):
        asked = {"images": 1200, "recipe": recipe, "settings": settings, "size": 16}
        whole = ganforge.train(pictures, out=tmp_path / "a", observers=[], **asked)

        def stop(event):
            if event["event"] == "report" and event["seen"] > 400:
                signal.raise_signal(signal.SIGINT)

        with pytest.raises(Interrupted):
            ganforge.train(pictures, out=tmp_path / "b", observers=[stop], **asked)
        ganforge.resume(tmp_path / "b", observers=[])
        assert same_weights(last_checkpoint(whole.path), last_checkpoint(tmp_path / "b"))

    def test_an_extension_does_not_go_back_to_an_earlier_phase(self, others, pictures, tmp_path):
        run = ganforge.train(pictures, images=400, recipe="two_phases", out=tmp_path / "r", observers=[])
        ganforge.resume(run.path, images=4000, observers=[])
        told = [set(report["losses"]) for report in run.events("report") if report["seen"] > 400]
        assert all(turns == {"D", "G"} for turns in told)

    def test_looking_on_changes_nothing(self, others, pictures, tmp_path, monkeypatch):
        """Spectral normalisation keeps a vector that every forward pass in training moves."""
        asked = {"images": 400, "recipe": "spectral", "size": 16, "observers": []}
        ends = []
        for share in (0.0, 1e9):
            monkeypatch.setattr(frames, "SHARE", share)
            run = ganforge.train(pictures, out=tmp_path / f"{share}", **asked)
            ends.append((len(run.events("sample")), last_checkpoint(run.path)))
        assert ends[0][0] < ends[1][0]
        assert same_weights(ends[0][1], ends[1][1])

    def test_phases_follow_one_another(self, others, pictures, tmp_path):
        run = ganforge.train(pictures, images=1200, recipe="two_phases", out=tmp_path / "r", observers=[])
        told = {report["seen"]: set(report["losses"]) for report in run.events("report")}
        assert all(turns == {"average"} for seen, turns in told.items() if seen <= 300)
        assert all(turns == {"D", "G"} for seen, turns in told.items() if seen > 320)
        tensors = load_file(last_checkpoint(run.path) / "training.safetensors")
        assert tensors["state.steps"] == 150
        assert ganforge.load(run.path, device="cpu").sample(2).pictures.shape == (2, 16, 16, 3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler here")
@pytest.mark.parametrize("recipe", ["dcgan", "style"])
def test_compiled_steps_train_and_resume(pictures, tmp_path, recipe):
    quick = QUICK | {"recipe": recipe, "settings": TINY[recipe]}
    execution = {"layout": "channels-last", "precision": "fp32", "compiled": True}
    run = ganforge.train(pictures, images=400, out=tmp_path / "r", execution=execution, **quick)
    ganforge.resume(run.path, images=80, observers=[])
    assert [event["compiled"] for event in run.events("execution")] == [True]
    eager = ganforge.train(pictures, images=80, out=tmp_path / "e", execution={**execution, "compiled": False}, **quick)
    told, theirs = ([e["losses"]["D"]["total"] for e in r.events("report") if e["seen"] <= 40] for r in (run, eager))
    assert told[0] == pytest.approx(theirs[0], rel=1e-3)
    assert ganforge.load(run.path, device="cpu").sample(2).pictures.shape == (2, 16, 16, 3)


class TestBudget:
    def test_minutes_are_kept(self, pictures, tmp_path):
        run = ganforge.train(pictures, minutes=0.15, out=tmp_path / "r", **QUICK)
        spent = run.events("finished")[-1]["seconds"]
        assert spent == pytest.approx(9, rel=0.12)  # the promise is 3 % of minutes; this is nine seconds

    @pytest.mark.slow
    def test_a_minute_is_kept_within_three_per_cent(self, pictures, tmp_path):
        run = ganforge.train(pictures, minutes=1, out=tmp_path / "r", **QUICK)
        assert run.events("finished")[-1]["seconds"] == pytest.approx(60, rel=0.03)

    def test_a_slow_start_does_not_end_the_run_early(self, pictures, tmp_path, monkeypatch):
        """The first checkpoint and the first step are slow; no plan may be made from them alone."""
        written = checkpoints.save
        slow = [1.5]

        def save(*args, **more):
            time.sleep(slow.pop() if slow else 0)
            return written(*args, **more)

        monkeypatch.setattr(checkpoints, "save", save)
        run = ganforge.train(pictures, minutes=0.15, out=tmp_path / "r", **QUICK)
        assert run.events("finished")[-1]["seconds"] > 9 - 1.5 - 2  # the end keeps time for one more such checkpoint

    def test_a_plan_of_a_halted_moment_is_soon_made_anew(self, pictures, tmp_path, monkeypatch):
        """One plan sees a thirtieth of the pictures there is time for; steps take a fifth of a second by a clock of ours."""
        now, played, replan, modest = [time.perf_counter()], loop_module.run_step, Schedule.replan, []

        def step(*args):
            now[0] += 0.2
            return played(*args)

        def misjudged(schedule, seen, planned):
            if now[0] - begun > 40 and not modest:
                modest.append(seen)
                planned = seen + (planned - seen) // 30
            return replan(schedule, seen, planned)

        begun = now[0]
        monkeypatch.setattr(loop_module, "time", SimpleNamespace(perf_counter=lambda: now[0]))
        monkeypatch.setattr(loop_module, "run_step", step)
        monkeypatch.setattr(Schedule, "replan", misjudged)
        run = ganforge.train(pictures, minutes=2, out=tmp_path / "r", **QUICK)
        assert modest
        reports = run.events("report")
        ahead = [e["fraction"] - e["seconds"] / 120 for e in reports if e["seconds"] < 110]
        assert max(ahead) < 0.15, max(ahead)

    def test_reports_become_fewer_where_looking_on_takes_long(self, pictures, tmp_path, monkeypatch):
        """A second a look by a clock of ours, a twentieth a step: of two minutes, looks may take about 2.4 seconds."""
        now, played, looked = [time.perf_counter()], loop_module.run_step, GameWatch.report

        def step(*args):
            now[0] += 0.05
            return played(*args)

        def report(watch):
            now[0] += 1.0
            return looked(watch)

        monkeypatch.setattr(loop_module, "time", SimpleNamespace(perf_counter=lambda: now[0]))
        monkeypatch.setattr(loop_module, "run_step", step)
        monkeypatch.setattr(GameWatch, "report", report)
        run = ganforge.train(pictures, minutes=2, out=tmp_path / "r", **QUICK)
        assert 3 <= len(run.events("report")) <= 5

    def test_a_plan_never_runs_backwards(self):
        schedule = Schedule([Plan(0, 0.0, 1000)])
        fractions = []
        for seen, planned in ((0, 1000), (400, 5000), (2000, 2100), (2100, 2100)):
            schedule.replan(seen, planned)
            fractions.append(schedule.fraction(seen))
        assert fractions == sorted(fractions)
        assert schedule.fraction(2099) < 1
        assert schedule.over(2100)

    def test_a_replan_changes_only_what_is_to_come(self):
        schedule = Schedule([Plan(0, 0.0, 1000)])
        before = schedule.fraction(500)
        schedule.replan(500, 2000)
        assert schedule.fraction(500) == before == 0.5
        assert schedule.fraction(1250) == pytest.approx(0.75)  # f₀ + (1 − f₀)(seen − seen₀)/(planned − seen₀)

    def test_the_clock_forgets_an_interruption(self):
        clock = Clock(before=100, now=5000)
        assert clock.seconds(5010) == 110
        for i in range(50):
            clock.mark(5000 + i, 20 * i)
        assert clock.speed() == pytest.approx(20)

    def test_a_computer_that_slept_is_no_slow_computer(self):
        clock = Clock(before=0, now=0)
        for i in range(120):
            clock.mark(0.25 * i, 5 * i)
        clock.mark(0.25 * 119 + 300, 600)
        assert 10 < clock.speed() < 20
        assert clock.seconds(330) == 330  # but the minutes are gone

    def test_slow_steps_are_no_pauses(self):
        clock = Clock(before=0, now=0)
        for i in range(20):
            clock.mark(40 * i, 8 * i)
        assert clock.speed() == pytest.approx(0.2)

    @pytest.mark.parametrize(("text", "count"), [("2M", 2_000_000), ("500k", 500_000), ("1_000", 1000), ("1.5k", 1500)])
    def test_counts(self, text, count):
        assert parse_count(text) == count

    @pytest.mark.parametrize("text", ["", "many", "-5", "0", "1.23", "nan", "inf"])
    def test_wrong_counts(self, text):
        with pytest.raises(UsageError, match="number of pictures"):
            parse_count(text)

    def test_one_budget(self):
        with pytest.raises(UsageError):
            Budget(60, 100)
        with pytest.raises(UsageError):
            Budget()
        with pytest.raises(UsageError):
            Budget(float("nan"))


@pytest.fixture
def playing(monkeypatch):
    """The systems that are being played, newest last."""
    systems, play = [], loop_module.run_step

    def step(table, fraction, system):
        systems[:] = [system]
        return play(table, fraction, system)

    monkeypatch.setattr(loop_module, "run_step", step)
    return systems


@torch.no_grad()
def spoil(net: torch.nn.Module) -> None:
    for weight in net.parameters():
        weight.fill_(float("nan"))


class TestFaults:
    def test_a_rollback_in_an_extension_keeps_the_longer_budget(self, pictures, tmp_path, playing):
        run = ganforge.train(pictures, images=160, out=tmp_path / "r", **QUICK)
        spoilt = []

        def poison(event):
            if event["event"] == "report" and event["seen"] > 200 and not spoilt:
                spoilt.append(event["seen"])
                spoil(playing[-1].nets["generator"])

        ganforge.resume(run.path, images=1600, observers=[poison])
        assert run.events("rollback")[0]["seen"] == 160
        assert run.events("finished")[-1]["seen"] == 1760
        fractions = [e["fraction"] for e in run.events("report") if e["seen"] > 160]
        assert fractions == sorted(fractions)

    def test_an_existing_folder_is_left_alone(self, pictures, tmp_path):
        (tmp_path / "r").mkdir()
        (tmp_path / "r" / "mine.txt").write_text("precious")
        with pytest.raises(RunError, match="overwritten"):
            ganforge.train(pictures, images=80, out=tmp_path / "r", **QUICK)
        assert [p.name for p in (tmp_path / "r").iterdir()] == ["mine.txt"]

    def test_a_file_in_the_way(self, pictures, tmp_path):
        (tmp_path / "r").write_text("a file")
        with pytest.raises(RunError):
            ganforge.train(pictures, images=80, out=tmp_path / "r" / "run", **QUICK)
        assert (tmp_path / "r").read_text() == "a file"

    def test_unknown_names(self, pictures, tmp_path):
        with pytest.raises(UnknownNameError, match="dcgan"):
            ganforge.train(pictures, images=80, recipe="dcgam", out=tmp_path / "r")
        with pytest.raises(UnknownNameError, match="learning_rate"):
            ganforge.train(pictures, images=80, settings={"learning_rte": 1}, out=tmp_path / "r")
        assert not (tmp_path / "r").exists()

    def test_too_few_pictures(self, tmp_path):
        folder = write_pictures(tmp_path / "p", 5)
        with pytest.raises(PicturesError, match="16"):
            ganforge.train(folder, images=80, out=tmp_path / "r", **QUICK)
        assert not (tmp_path / "r").exists()

    def test_another_size_than_the_recipes(self, pictures, tmp_path):
        with pytest.raises(UsageError, match="28x28"):
            ganforge.train(pictures, images=80, recipe="celeba28", size=64, out=tmp_path / "r")

    def test_a_disk_that_fills_up_keeps_the_earlier_checkpoints(self, pictures, tmp_path, monkeypatch):
        import errno

        written = checkpoints.save_file
        calls = []

        def full(tensors, path, *more):
            calls.append(path)
            if len(calls) > 2:
                raise OSError(errno.ENOSPC, "No space left on device")
            written(tensors, path, *more)

        monkeypatch.setattr(checkpoints, "save_file", full)
        with pytest.raises(RunError, match="full"):
            ganforge.train(pictures, images=4000, out=tmp_path / "r", checkpoint_seconds=1e-3, **QUICK)
        monkeypatch.undo()
        assert len(checkpoints.saved(tmp_path / "r" / "checkpoints")) == 2
        assert ganforge.Run(tmp_path / "r").state()["state"] == "failed"
        assert ganforge.load(tmp_path / "r", device="cpu").sample(1)

    @pytest.mark.parametrize(
        ("recipe", "rates"), [("dcgan", ["learning_rate"]), ("style", ["g_learning_rate", "d_learning_rate"])]
    )
    def test_losses_that_are_no_numbers_roll_back_three_times(self, pictures, tmp_path, recipe, rates):
        """A learning rate of 1e18 breaks any net: back, halve, try another way, and end cleanly."""
        settings = {**TINY[recipe], **dict.fromkeys(rates, 1e18), "report_every_steps": 5}
        with pytest.raises(TrainingError, match="A lower --set " + "=… and --set ".join(rates) + "=… "):
            ganforge.train(
                pictures, images=4000, out=tmp_path / "r", **{**QUICK, "recipe": recipe, "settings": settings}
            )
        run = ganforge.Run(tmp_path / "r")
        scales = [e["learning_rate_scale"] for e in run.events("rollback")]
        assert scales == [0.5, 0.25, 0.125]
        kept = load_file(last_checkpoint(run.path) / "training.safetensors")
        assert all(torch.isfinite(tensor).all() for tensor in kept.values())

    def test_a_rollback_in_a_run_of_minutes_rewinds_log_and_plan(self, pictures, tmp_path, playing):
        """One poisoned step: the log goes back with the weights, and the fraction stays in its range."""
        out = tmp_path / "r"
        poisoned = []

        def poison(event):
            if event["event"] == "report" and event["fraction"] > 0.5 and not poisoned:
                poisoned.append(event["seen"])
                spoil(playing[-1].nets["generator"])

        ganforge.train(pictures, minutes=0.1, out=out, **{**QUICK, "observers": [poison]})
        run = ganforge.Run(out)
        rollback = run.events("rollback")[0]
        assert rollback["seen"] < poisoned[0] <= rollback["seen_before"]
        seen = [e["seen"] for e in run.events() if "seen" in e]
        assert seen == sorted(seen)
        assert all(0 <= e["fraction"] <= 1 for e in run.events() if "fraction" in e)

    def test_out_of_memory_is_explained(self, pictures, tmp_path, monkeypatch):
        def no_memory(*_, **__):
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory")

        monkeypatch.setattr(loop_module, "run_step", no_memory)
        with pytest.raises(TrainingError, match="batch_size=4"):
            ganforge.train(pictures, images=800, out=tmp_path / "r", **QUICK)


class TestCollapse:
    def test_it_is_said_once_and_so_is_the_recovery(self):
        collapse = Collapse()
        spreads = [0.1, 0.2, 0.7, 0.6, 0.2, 0.1, 0.3, 0.6, 0.2]
        told = [collapse.noticed(spread, i / 10) for i, spread in enumerate(spreads)]
        assert told == [None, None, None, None, "collapse", None, None, "recovery", "collapse"]

    def test_a_young_generator_is_not_called_collapsed(self):
        assert Collapse().noticed(0.0, 0.1) is None
        assert Collapse().noticed(0.0, 0.5) == "collapse"

    def test_samples_without_diversity_are_noticed_and_said(self, pictures, tmp_path):
        """A generator that never learns to vary (its learning rate is next to nothing) is called collapsed, once."""
        heard = []
        settings = {**TINY["dcgan"], "learning_rate": 1e-12, "ema_halflife_kimg": 0}
        ganforge.train(
            pictures, images=800, out=tmp_path / "r", **{**QUICK, "settings": settings, "observers": [heard.append]}
        )
        collapse = [e for e in heard if e["event"] == "collapse"]
        assert len(collapse) == 1  # an untrained generator's grey sheet has no diversity; said once, not every frame
        assert collapse[0]["spread"] < 0.25

    def test_spread_knows_one_picture_from_many(self):
        from ganforge.measures.diversity import relative_spread

        rng = np.random.default_rng(0)
        many = rng.integers(0, 256, (40, 1, 1, 3), dtype=np.uint8).repeat(16, 1).repeat(16, 2)
        one = np.clip(many[:1].astype(int) + rng.integers(-3, 4, many.shape), 0, 255).astype(np.uint8)
        assert relative_spread(many[:20], many[20:]) == pytest.approx(1, abs=0.3)
        assert relative_spread(one, many) < 0.05


@pytest.mark.parametrize(
    ("text", "size"), [("64", (64, 64)), ("96x64", (64, 96)), (32, (32, 32)), (None, None), ((8, 9), (8, 9))]
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["big", "0", "64x", "5000", "64x64x64"])
def test_wrong_sizes(text):
    with pytest.raises(UsageError):
        parse_size(text)


@pytest.mark.parametrize(
    ("sides", "size"),
    [
        ([(400, 300)] * 9 + [(300, 400)], (64, 88)),
        ([(300, 400)] * 9, (88, 64)),
        ([(400, 300)] * 7 + [(300, 400)] * 3, (64, 64)),  # too few have the same proportions
        ([(105, 100)] * 9, (64, 64)),
        ([(4000, 100)] * 9, (64, 256)),
        ([], (64, 64)),
    ],
)
def test_pictures_are_trained_in_the_proportions_that_most_share(sides, size):
    widths, heights = np.array(sides, float).reshape(-1, 2).T
    assert in_proportion(64, widths, heights) == size


@pytest.mark.parametrize(("shape", "size"), [((64, 64), (64, 64)), ((64, 256), (32, 128))])
def test_long_pictures_take_longer(tmp_path, monkeypatch, shape, size):
    monkeypatch.setattr(sizes, "best_device", lambda: torch.device("cpu"))
    for i in range(3):
        Image.new("RGB", shape[::-1], (40 * i, 0, 0)).save(tmp_path / f"{i}.png")
    minutes = 1.5 * sizes.MINUTES_WANTED["cpu"][64]
    asked = (systems.find_recipe("style"), None, str(tmp_path), Budget.of(minutes, None))
    assert choose_size(*asked)[:2] == size


@pytest.mark.parametrize(("crop", "side"), [("178", 128), ("108", 64)])
def test_size_is_chosen_by_what_a_crop_leaves(tmp_path, crop, side):
    folder = tmp_path / "img_align_celeba"
    folder.mkdir()
    for i in range(3):
        Image.new("RGB", (178, 218), (40 * i, 0, 0)).save(folder / f"{i:06d}.jpg")
    asked = (systems.find_recipe("style"), None, str(tmp_path), Budget.of(None, 10_000_000))
    assert choose_size(*asked, crop)[:2] == (side, side)


def test_a_folder_of_portraits_is_trained_as_portraits(tmp_path):
    folder = tmp_path / "portraits"
    folder.mkdir()
    for i in range(20):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (60, 40, 3), np.uint8)).save(folder / f"{i}.png")
    settings = {**QUICK, "size": None}
    run = ganforge.train(folder, images=64, out=tmp_path / "r", **settings)
    assert ganforge.load(run.path).sample(1).pictures.shape == (1, 48, 32, 3)
    assert "48" in run.events("start")[0]["notes"][0]
