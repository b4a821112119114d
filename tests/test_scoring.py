"""Scores while a run goes on: the best state becomes the Model, and a run that is of no use ends."""

import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import ganforge
from ganforge.model.card import read_card
from ganforge.model.model import find_model
from ganforge.pictures import PackOptions, make_pack
from ganforge.training import checkpoints, loop, scoring
from ganforge.training.budget import Plan, Schedule
from ganforge.training.scoring import is_best, reason_to_stop
from ganforge.training.stopping import Interrupted
from systems_tiny import TINY, write_pictures

QUICK = {
    "recipe": "dcgan",
    "size": 16,
    "settings": {**TINY["dcgan"], "batch_size": "32"},
    "observers": [],
    "flip": False,
}
ENOUGH = 1280


@pytest.fixture(scope="module", autouse=True)
def _small(own_cache):
    """Scores of 64 samples after 192 pictures at the earliest: what takes minutes elsewhere takes seconds here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "SEEDS", range(1 << 41, (1 << 41) + 64))
        patch.setattr(scoring, "PICTURES_A_SCORE", 192)
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures"), 60)


@pytest.fixture(scope="module")
def scored(pictures, tmp_path_factory) -> ganforge.Run:
    return ganforge.train(pictures, images=ENOUGH, out=tmp_path_factory.mktemp("runs") / "run", **QUICK)


def score(kid=1.0, fraction=0.5, spread=0.9, copied=None, best=False, error=0.0):
    return {"kid": kid, "kid_error": error, "fraction": fraction, "spread": spread, "copied": copied, "best": best}


def scripted(monkeypatch, values) -> None:
    """Scores as they are told here, one after the other; the last one again and again."""
    left = list(values)

    def told(self, seen, fraction, draw):
        self._last_seen, self._count = seen, int(fraction * scoring.SCORES)
        said = left.pop(0) if len(left) > 1 else left[0]
        return {
            "kid": 1.0,
            "spread": 0.9,
            "copied": None,
            "features": "x",
            "samples": 1,
            "real": 1,
            "spent": 0.0,
        } | said

    monkeypatch.setattr(scoring.Scorer, "score", told)


class TestRun:
    def test_scores_are_logged_and_the_last_state_is_among_them(self, scored):
        scores = scored.events("score")
        assert len(scores) >= 3
        assert scores[-1]["seen"] == scored.state()["seen"]
        assert all(s["kid"] > 0 and s["spread"] >= 0 for s in scores)
        assert all(0 <= s["copied"] <= 1 for s in scores)  # so few pictures: copying is watched
        gaps = [b["seen"] - a["seen"] for a, b in pairwise(scores[:-1])]
        assert all(gap >= scoring.PICTURES_A_SCORE for gap in gaps)

    def test_the_model_is_the_best_scored_state(self, scored):
        scores = scored.events("score")
        assert all(s["kid_error"] > 0 for s in scores)
        lowest = min(scores, key=lambda s: (s["copied"] > 0.03, s["kid"]))
        level = [s for s in scores if s["copied"] <= 0.03 or lowest["copied"] > 0.03]
        best = [s for s in level if s["kid"] <= lowest["kid"] + lowest["kid_error"]][-1]
        card = read_card(scored.path / "model")
        assert card.scores[0]["kid"] == best["kid"]
        assert card.training.seen == best["seen"] == scored.state()["model"]
        assert card.scores[0]["features"] == "offline-1"

    def test_an_earlier_state_is_kept_where_it_was_better(self, pictures, tmp_path, monkeypatch):
        scripted(monkeypatch, [{"kid": 0.5}, {"kid": 0.2}, {"kid": 0.9}])
        run = ganforge.train(pictures, images=ENOUGH, out=tmp_path / "run", checkpoint_seconds=1e-3, **QUICK)
        scores = run.events("score")
        assert [s["best"] for s in scores[:3]] == [True, True, False]
        best = checkpoints.best(run.path / "checkpoints")
        assert int(best.name) == scores[1]["seen"] < run.state()["seen"]
        assert read_card(run.path / "model").id == read_card(best / "model").id
        assert find_model(run.path) == run.path / "model"

    def test_of_states_that_are_level_the_newest_is_kept_and_what_they_are_measured_by(
        self, pictures, tmp_path, monkeypatch
    ):
        told = [0.5, 0.2, 0.25, 0.9, 0.28, 0.35, 0.9]
        scripted(monkeypatch, [{"kid": kid, "kid_error": 0.1} for kid in told])
        run = ganforge.train(pictures, images=2 * ENOUGH, out=tmp_path / "run", checkpoint_seconds=1e-3, **QUICK)
        scores = run.events("score")
        assert [s["best"] for s in scores[:7]] == [True, True, True, False, True, False, False]
        assert run.state()["model"] == scores[4]["seen"]
        assert find_model(run.path) == run.path / "model"
        kept = [int(checkpoint.name) for checkpoint in checkpoints.saved(run.path / "checkpoints")]
        assert {scores[1]["seen"], scores[4]["seen"]} <= set(kept)  # else 0.35 would be level with what is left

    def test_one_that_copies_is_not_the_best(self, pictures, tmp_path, monkeypatch):
        scripted(monkeypatch, [{"kid": 0.5, "copied": 0.01}, {"kid": 0.1, "copied": 0.2}])
        run = ganforge.train(pictures, images=ENOUGH, out=tmp_path / "run", **QUICK)
        assert run.state()["model"] == run.events("score")[0]["seen"]

    @pytest.mark.parametrize(("reason", "said"), [("collapse", {"spread": 0.1}), ("copying", {"copied": 0.5})])
    def test_a_run_that_is_of_no_use_ends_and_says_so(self, pictures, tmp_path, monkeypatch, reason, said):
        scripted(monkeypatch, [{"kid": 0.3}, {"kid": 0.9, **said}])
        run = ganforge.train(pictures, images=6 * ENOUGH, out=tmp_path / "run", **QUICK)
        (stopped,) = run.events("stopped_early")
        assert stopped["reason"] == reason == run.state()["stopped_early"]
        assert run.state()["state"] == "finished"
        assert run.state()["seen"] < 6 * ENOUGH
        assert run.state()["model"] == run.events("score")[0]["seen"]
        ganforge.load(run.path, device="cpu").sample(2)

    def test_unless_it_is_told_to_go_on(self, pictures, tmp_path, monkeypatch):
        scripted(monkeypatch, [{"kid": 0.3}, {"kid": 0.9, "spread": 0.1}])
        run = ganforge.train(pictures, images=2 * ENOUGH, out=tmp_path / "run", stop_early=False, **QUICK)
        assert not run.events("stopped_early")
        assert run.state()["seen"] == 2 * ENOUGH

    def test_interrupted_and_resumed_it_is_the_same_run(self, scored, pictures, tmp_path):
        def stop(event):
            if event["event"] == "score":
                import os
                import signal

                os.kill(os.getpid(), signal.SIGINT)

        settings = {k: v for k, v in QUICK.items() if k != "observers"}
        with pytest.raises(Interrupted):
            ganforge.train(pictures, images=ENOUGH, out=tmp_path / "run", observers=[stop], **settings)
        run = ganforge.resume(tmp_path / "run", observers=[])
        told = [[(s["seen"], s["kid"], s["best"]) for s in r.events("score")] for r in (scored, run)]
        assert told[0] == told[1]
        a, b = (load_file(r.path / "model" / "generator.safetensors") for r in (scored, run))
        assert all(torch.equal(a[name], b[name]) for name in a)

    def test_a_run_that_is_given_more_is_scored_on(self, scored, tmp_path, monkeypatch):
        monkeypatch.setattr(loop, "reason_to_stop", lambda scores: None)
        shutil.copytree(scored.path, tmp_path / "run")
        before = len(scored.events("score"))
        run = ganforge.resume(tmp_path / "run", images=ENOUGH, observers=[])
        assert run.state()["seen"] == scored.state()["seen"] + ENOUGH
        later = run.events("score")[before:]
        assert len(later) >= before - 1
        assert all(b["seen"] - a["seen"] >= scoring.PICTURES_A_SCORE for a, b in pairwise(later[:-1]))

    def test_a_run_of_too_few_pictures_that_is_given_more_is_scored_from_there_on(self, pictures, tmp_path):
        run = ganforge.train(pictures, images=128, out=tmp_path / "run", **QUICK)
        run = ganforge.resume(run.path, images=ENOUGH, observers=[])
        assert run.events("score")

    def test_a_replayed_run_that_is_given_more_is_scored_by_its_new_budget(
        self, scored, pictures, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(loop, "reason_to_stop", lambda scores: None)
        again = ganforge.train(pictures, replay=scored.path, out=tmp_path / "again", **QUICK)
        before = len(again.events("score"))
        again = ganforge.resume(again.path, images=ENOUGH, observers=[])
        assert len(again.events("score")) >= 2 * before - 1 > before + 1

    def test_later_scores_are_measured_against_what_the_first_ones_were(self, scored, pictures):
        """Whether copying is watched and against how many pictures may not hang on how busy a machine is today."""
        pack = make_pack(pictures, PackOptions(height=16, width=16))
        (*_, last) = scored.events("score")
        for changes in ({"copied": None}, {"copied": 0.0}, {"real": 40}):
            scorer = scoring.Scorer(pack, np.arange(len(pack)), scored.config, "cpu", [last | changes])
            assert (scorer._watched is None) == ((last | changes)["copied"] is None)
            assert len(scorer._real) == (last | changes)["real"]

    def test_a_replayed_run_is_scored_when_the_first_one_was(self, scored, pictures, tmp_path, monkeypatch):
        monkeypatch.setattr(scoring, "PICTURES_A_SCORE", 500)
        again = ganforge.train(pictures, replay=scored.path, out=tmp_path / "again", **QUICK)
        told = [[(s["seen"], s["kid"], s["best"]) for s in r.events("score")] for r in (scored, again)]
        assert told[0] == told[1]
        assert again.state()["model"] == scored.state()["model"]

    def test_a_running_run_offers_its_best_so_far(self, scored, tmp_path):
        shutil.copytree(scored.path, tmp_path / "run")
        shutil.rmtree(tmp_path / "run" / "model")
        assert find_model(tmp_path / "run") == checkpoints.best(tmp_path / "run" / "checkpoints") / "model"

    def test_few_pictures_are_not_scored(self, pictures, tmp_path):
        run = ganforge.train(pictures, images=128, out=tmp_path / "run", **QUICK)
        assert not run.events("score")
        assert run.state()["model"] == run.state()["seen"]

    def test_minutes_are_not_spent_on_scores(self, pictures):
        """Due when the plan says so, and only while scores stay within their share of the time so far."""
        scorer = scoring.Scorer.__new__(scoring.Scorer)
        scorer._seconds, scorer._last_seen, scorer._count, scorer._replayed = 600.0, 0, 0, None
        scorer.spent, scorer.cost = 6.0, 2.0
        schedule = Schedule([Plan(0, 0.0, 100_000)])
        assert not scorer.due(1_000, schedule, 400.0)  # a hundredth of the budget: too early by plan
        assert not scorer.due(10_000, schedule, 8.0 / scoring.SHARE - 1)
        assert scorer.due(10_000, schedule, 8.0 / scoring.SHARE + 1)


class TestRules:
    def test_lower_is_better_and_copies_lose(self):
        assert is_best(score(0.5), [])
        assert is_best(score(0.4), [score(0.5)])
        assert is_best(score(0.5), [score(0.5)])  # as good, and newer
        assert not is_best(score(0.51), [score(0.5)])
        assert is_best(score(0.5), [score(0.4, error=0.2)])  # luck may have done that, and more was learned since
        assert not is_best(score(0.5, error=0.2), [score(0.4, error=0.05)])
        assert not is_best(score(0.5, error=0.1), [score(0.3, error=0.1), score(0.39, error=0.2)])  # no creeping away
        assert not is_best(score(0.1, copied=0.2), [score(0.5, copied=0.0, error=1.0)])
        assert is_best(score(0.9, copied=0.0), [score(0.1, copied=0.2)])

    @pytest.mark.parametrize("bad", [{"spread": 0.1}, {"copied": 0.3}])
    def test_patience(self, bad):
        def row(count, step, **more):
            return [score(fraction=0.4 + i * step, **more) for i in range(count)]

        assert reason_to_stop(row(4, 0.05, **bad)) is not None
        assert reason_to_stop(row(3, 0.1, **bad)) is None  # too few
        assert reason_to_stop(row(4, 0.02, **bad)) is None  # too short a time
        assert reason_to_stop([*row(4, 0.05, **bad), score(fraction=0.7)]) is None  # it recovered
        assert reason_to_stop([score(fraction=0.3, best=True, **bad), *row(3, 0.05, **bad)]) is None

    def test_grey_youth_is_no_collapse(self):
        young = [score(fraction=0.03 * i, spread=0.05) for i in range(1, 10)]
        assert reason_to_stop(young) is None
        assert reason_to_stop([score(fraction=0.01), *young]) == "collapse"  # it had varied before

    def test_what_was_before_a_longer_budget_is_past(self):
        bad = {"spread": 0.1}
        old = [score(fraction=f / 10, **bad) for f in range(6, 11)]
        assert reason_to_stop(old) == "collapse"
        assert reason_to_stop([*old, score(fraction=0.51, **bad)]) is None


def test_old_runs_without_scores_still_open(scored, tmp_path):
    shutil.copytree(scored.path, tmp_path / "run")
    card_file = tmp_path / "run" / "model" / "model.json"
    for file in (card_file, *(tmp_path / "run" / "checkpoints").glob("*/model/model.json")):
        card = json.loads(file.read_text("utf-8"))
        file.write_text(json.dumps(card | {"scores": []}), encoding="utf-8")
    found = find_model(tmp_path / "run")
    newest = checkpoints.saved(tmp_path / "run" / "checkpoints")[-1] / "model"
    assert found in (tmp_path / "run" / "model", newest)
