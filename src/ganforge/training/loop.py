"""The loop: steps until the budget is spent, with reports, samples, checkpoints and re-plans in between."""

import math
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from ganforge.errors import TrainingError
from ganforge.game import Phase, System
from ganforge.model.card import DataCard, TrainingCard
from ganforge.training import checkpoints
from ganforge.training.averages import Average
from ganforge.training.budget import Clock, Schedule
from ganforge.training.checkpoints import Position
from ganforge.training.folder import Event, Run
from ganforge.training.frames import Frames
from ganforge.training.pace import Pace, replayed_pace
from ganforge.training.planning import promised
from ganforge.training.scoring import Scorer, is_best, reason_to_stop
from ganforge.training.step import Played, Table, run_step
from ganforge.training.stopping import Interrupted, stoppable
from ganforge.training.telling import Observer, Sums, Teller
from ganforge.training.watch import Watch

TICK_SECONDS = 0.25
FIRST_REPLAN_SECONDS = 2.0
"""A first step is slower than the rest; no plan is made from it alone."""
HURRY = 0.04
"""Of the budget, spent since the last plan: more than twice what is usual asks for another one, for then that one was made when
the machine was slow.
"""
LATE_SHARE = 0.02
"""A run of minutes whose pictures are seen with more than this share of its time left goes on."""
REPORTS = 100
"""Reports a run, at most, where the recipe does not say after how many steps."""
REPORTS_SHARE = 0.02
"""Of a run of minutes, at most, that goes into looking on for reports; then they become fewer."""
MOST_ROLLBACKS = 3
KEPT_OF_SCORES = ("kid", "kid_error", "copied", "features", "samples", "real")
"""What a checkpoint and its Model's card say of a score."""


class Loop:
    """Plays a run from where its checkpoint left it to the end of its budget.

    Args:
        run: the folder.
        system: nets in their layout, on their device.
        averages: of ``system.averaged``.
        phases: ``system.phases()``.
        table: source, seed and counters.
        watch: looks at the game from outside.
        scorer: says which of its states is the best; None where nothing can be scored.
        schedule: the plans.
        clock: wall time.
        data: what the pictures are, for the Model's card.
        pace: says when to step aside for other programs.
        observers: hear every event, and a "tick" four times a second.
    """

    def __init__(
        self,
        run: Run,
        system: System,
        averages: dict[str, Average],
        phases: Sequence[Phase],
        table: Table,
        watch: Watch,
        scorer: Scorer | None,
        schedule: Schedule,
        clock: Clock,
        data: DataCard,
        pace: Pace,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.run, self.system, self.averages, self.phases = run, system, averages, phases
        self.table, self.watch, self.scorer, self.schedule, self.clock = table, watch, scorer, schedule, clock
        self.data, self._teller, self._frames = data, Teller(run, observers), Frames(run, watch)
        self.seen, self.rollbacks, self._phase = 0, 0, 0
        self._sums = Sums()
        self._scores: list[Event] = []
        self.stopped_early: str | None = None
        self._checkpoint_seconds, self._report_seconds = 0.0, 0.0
        self._next_tick, self._next_checkpoint, self._next_replan, self._replanned_at = 0.0, 0.0, 0.0, 0.0
        self._last_report = (0.0, 0, 0)  # seconds, seen, steps
        self.last_checkpoint: Path | None = None
        self._own_pace = pace
        changes = run.config.replay_threads
        self._replayed_pace = None if changes is None else replayed_pace(changes)

    # --- the run ---

    def play(self) -> None:
        """Train to the end of the budget.

        Raises:
            Interrupted: the user asked to stop; the state is saved.
            TrainingError: losses were not finite three times.
            RunError: nothing can be written any more.
        """
        with stoppable() as stop:
            if self.seen == 0:
                self._sample(0.0)
                self.checkpoint()
            now = time.perf_counter()
            self._next_tick, self._next_replan = now, now + FIRST_REPLAN_SECONDS
            self._replanned_at = self.schedule.fraction(self.seen)
            self._next_checkpoint = now + min(10.0, self.run.config.checkpoint_every_seconds)
            self._last_report = (self.clock.seconds(now), self.seen, self.table.steps)
            self.clock.mark(now, self.seen)
            self._take_threads()
            while not self._over():
                start = time.perf_counter()
                played = self._step(self.schedule.fraction(self.seen))
                self.seen += played.pictures
                self._pace(played.pictures, time.perf_counter() - start)
                for average in self.averages.values():
                    average.update(played.pictures, self.seen)
                self._sums.add(played.losses)
                self._between_steps()
                if stop.asked:
                    self._teller.whisper({"event": "stopping"})
                    if self._finite():
                        self.checkpoint()
                    raise Interrupted
            self._report(time.perf_counter())
            self._sample(1.0)
            if self.scorer is None or self._scored_now() is not None:
                self.checkpoint()
            else:
                self._score(self.scorer, last=True)

    def _take_threads(self) -> None:
        """Before the first step of a sitting: what calibration found, or what the replayed run had."""
        threads = self._own_pace.threads
        if self._replayed_pace is not None:
            threads = self._replayed_pace(self.seen) or threads
        self._compute_with(threads)

    def _pace(self, pictures: int, seconds: float) -> None:
        """Step aside for other programs, or as the replayed run did."""
        if self._replayed_pace is not None:
            threads = self._replayed_pace(self.seen)
        elif self.run.config.seconds is not None and self.table.device == "cpu":
            threads = self._own_pace.stepped(pictures, seconds)
        else:
            threads = None
        if threads is not None:
            self._compute_with(threads)

    def _compute_with(self, threads: int) -> None:
        torch.set_num_threads(threads)
        aside = self._replayed_pace is None and threads < self._own_pace.full
        self._teller.tell({"event": "threads", "seen": self.seen, "threads": threads, "aside": aside})

    def _over(self) -> bool:
        """Whether the budget is spent (or going on is no use) and what came out is sound."""
        if self.stopped_early is not None:
            return True
        for plan in self.schedule.advance(self.seen):
            self._teller.tell(plan.as_event())
        if not self.schedule.over(self.seen):
            return False
        if self.run.config.seconds is not None and self._seconds_left() > LATE_SHARE * self.run.config.seconds:
            self._replan(time.perf_counter())  # the plan was too modest
            if not self.schedule.over(self.seen):
                return False
        if self._finite():
            return True
        self._roll_back()
        return self.schedule.over(self.seen)

    def _seconds_left(self) -> float:
        """Of a budget of minutes, without what the end takes."""
        assert self.run.config.seconds is not None
        end = self._checkpoint_seconds + (self.scorer.cost if self.scorer is not None else 0.0) + 0.5
        return self.run.config.seconds - self.clock.seconds(time.perf_counter()) - end

    def _step(self, fraction: float) -> Played:
        """Play a step of the phase that this fraction belongs to; a phase once over is not played again."""
        starts = [sum(phase.share for phase in self.phases[:i]) for i in range(len(self.phases))]
        number = max(i for i, start in enumerate(starts) if start <= fraction)
        if number > self._phase:
            self._report(time.perf_counter())
            if self._finite():
                self.checkpoint()  # the phase's own Model
            self._phase = number
        phase = self.phases[self._phase]
        self.table.turns = phase.turns
        return run_step(self.table, max(0.0, (fraction - starts[self._phase]) / phase.share), self.system)

    def _between_steps(self) -> None:
        now = time.perf_counter()
        if self._report_is_due(now):
            if not self._sums.finite():
                self._roll_back()
                return
            self._report(now)
        if self._frames.due(self.schedule.fraction(self.seen), self.clock.seconds(now)):
            self._sample(self.schedule.fraction(self.seen))
        scorer = self.scorer
        scored = scorer is not None and scorer.due(self.seen, self.schedule, self.clock.seconds(now))
        if scored or now >= self._next_checkpoint:
            if not self._finite():
                self._roll_back()
                return
            if scored and scorer is not None:
                self._score(scorer)
            else:
                self.checkpoint()
        now = time.perf_counter()
        if now >= self._next_tick:
            self._next_tick = now + TICK_SECONDS
            self.clock.mark(now, self.seen)
            self._tick(now)
        if now >= self._next_replan or self.schedule.fraction(self.seen) > self._replanned_at + HURRY:
            self._replan(now)

    # --- planning ---

    def _replan(self, now: float) -> None:
        seconds = self.run.config.seconds
        if seconds is None:
            self._next_replan = self._replanned_at = math.inf
            return
        left = self._seconds_left()
        self._replanned_at = self.schedule.fraction(self.seen)
        self._next_replan = now + min(max(1.0, 0.02 * seconds), max(left / 4, 0.2))
        speed = self.clock.speed()
        if speed is None:
            return
        plan = self.schedule.replan(self.seen, self.seen + max(0, int(speed * left)))
        if plan is not None:
            self._teller.tell(plan.as_event() | {"seconds": self.clock.seconds(now)})

    # --- what is told ---

    def _tick(self, now: float) -> None:
        seconds = self.clock.seconds(now)
        speed = self.clock.speed()
        if self.run.config.seconds is not None:
            left: float | None = max(0.0, self.run.config.seconds - seconds)
        else:
            left = None if speed is None else (self.schedule.planned - self.seen) / speed
        self._teller.whisper(
            {
                "event": "tick",
                "seen": self.seen,
                "planned": self.schedule.planned,
                "seconds": seconds,
                "left": left,
                "pictures_per_s": speed,
                "fraction": self.schedule.fraction(self.seen),
            }
        )

    def _report_is_due(self, now: float) -> bool:
        every = self.system.config.report_every_steps
        if every is not None:
            return self.table.steps % every == 0
        if self.table.steps <= 1:
            return True
        if self.run.config.seconds is not None and self._report_seconds > REPORTS_SHARE * self.clock.seconds(now):
            return False
        done = self.schedule.fraction(self.seen) * REPORTS
        return int(done) > int(self.schedule.fraction(self._last_report[1]) * REPORTS)

    def _report(self, now: float) -> None:
        seconds, seen, steps = self._last_report
        if self.table.steps == steps:
            return
        elapsed = self.clock.seconds(now) - seconds
        event: Event = {
            "event": "report",
            "step": self.table.steps,
            "seen": self.seen,
            "fraction": self.schedule.fraction(self.seen),
            "seconds": self.clock.seconds(now),
            "pictures_per_s": (self.seen - seen) / elapsed if elapsed > 0 else None,
            "losses": self._sums.take(),
            **self.watch.report(),
        }
        self._report_seconds += time.perf_counter() - now
        self._last_report = (self.clock.seconds(time.perf_counter()), self.seen, self.table.steps)
        self._teller.tell(event)

    def _sample(self, fraction: float) -> None:
        seconds = self.clock.seconds(time.perf_counter())
        for event in self._frames.take(self.seen, fraction, seconds, self.table.steps):
            self._teller.tell(event)

    def _score(self, scorer: Scorer, *, last: bool = False) -> None:
        """Score this state; keep it where it is the best so far, and see whether going on is of use."""
        fraction = 1.0 if last else self.schedule.fraction(self.seen)
        found = scorer.score(self.seen, fraction, self.watch)
        seconds = self.clock.seconds(time.perf_counter())
        score = {"event": "score", "seen": self.seen, "fraction": fraction, "seconds": seconds, **found}
        score["best"] = is_best(score, self._scores)
        self._scores.append(score)
        self._teller.tell(score)
        if score["best"] or last:
            self.checkpoint()
        if self.run.config.stop_early and not last:
            self.stopped_early = reason_to_stop(self._scores)
            if self.stopped_early is not None:
                about = {"seen": self.seen, "fraction": fraction, "seconds": seconds}
                self._teller.tell({"event": "stopped_early", **about, "reason": self.stopped_early})

    # --- keeping ---

    def position(self) -> Position:
        """Where the run stands now."""
        plan = self.schedule.plans[-1]
        over = self.schedule.over(self.seen)
        return Position(
            seen=self.seen,
            steps=self.table.steps,
            batches=self.table.batches,
            seconds=self.clock.seconds(time.perf_counter()),
            fraction=1.0 if over else self.schedule.fraction(self.seen),
            phase=self._phase,
            salt=self.table.salt,
            rollbacks=self.rollbacks,
            learning_rate_scale=self.table.learning_rate_scale,
            planned=plan.planned,
            plan_seen=plan.seen,
            plan_fraction=plan.fraction,
        )

    def _scored_now(self) -> Event | None:
        """The score of this very state, where it has one."""
        return self._scores[-1] if self._scores and self._scores[-1]["seen"] == self.seen else None

    def checkpoint(self) -> None:
        """Save everything; a whole folder appears, or none."""
        start = time.perf_counter()
        score = self._scored_now()
        if score is None:  # else it was settled for the score
            self.watch.settle()
        position = self.position().model_copy(update={"score": score and {k: score.get(k) for k in KEPT_OF_SCORES}})
        card = TrainingCard(
            recipe=self.run.config.recipe,
            seed=self.run.config.seed,
            seen=self.seen,
            seconds=position.seconds,
            ganforge=self.run.config.ganforge,
        )
        self.last_checkpoint = checkpoints.save(
            self.run.path / "checkpoints",
            position,
            self.system,
            self.averages,
            self.phases,
            self.data,
            card,
            self.watch.border(),
        )
        self._checkpoint_seconds = time.perf_counter() - start
        self._next_checkpoint = time.perf_counter() + self.run.config.checkpoint_every_seconds
        about = {"seen": self.seen, "fraction": position.fraction, "seconds": position.seconds}
        self._teller.tell({"event": "checkpoint", **about, "took_seconds": self._checkpoint_seconds})

    def resume_from(self, position: Position, schedule: Schedule) -> None:
        """Stand where a checkpoint stood, with the plan from there on; the caller takes back nets, optimizers and log."""
        self.seen, self.rollbacks, self._phase = position.seen, position.rollbacks, position.phase
        table = self.table
        table.turns = self.phases[self._phase].turns
        table.steps, table.batches, table.salt = position.steps, position.batches, position.salt
        table.learning_rate_scale = position.learning_rate_scale
        self.schedule = schedule
        self._frames.resume_from(self.schedule.fraction(self.seen), self.run.events("sample"))
        self._last_report = (position.seconds, position.seen, position.steps)
        self._sums = Sums()
        if self.scorer is not None:
            self._scores = [e for e in self.run.events("score") if e.get("features") == self.scorer.features]
            self.scorer.resume_from(self._scores, self.schedule.fraction(self.seen))

    def _finite(self) -> bool:
        weights = [w for net in self.system.nets.values() for w in net.parameters()]
        return self._sums.finite() and all(bool(torch.isfinite(w).all()) for w in weights)

    def _roll_back(self) -> None:
        """Go back to the last good state, halve the learning rate, walk another way."""
        trouble = {"event": "rollback", "seen_before": self.seen, "seconds": self.clock.seconds(time.perf_counter())}
        rollbacks, salt = self.rollbacks + 1, self.table.salt + 1
        scale = self.table.learning_rate_scale / 2
        if rollbacks > MOST_ROLLBACKS:
            rates = [f"--set {key}=…" for key in self.run.config.config if key.endswith("learning_rate")]
            advice = f" A lower {' and '.join(rates)} usually helps." if rates else ""
            raise TrainingError(
                f"The losses stopped being finite numbers for the {rollbacks}th time; training ends here. The last good "
                f"state is kept in {self.run.path}.{advice}"
            )
        found = checkpoints.newest(self.run.path / "checkpoints", self.system, self.averages, self.phases)
        if found is None:
            raise TrainingError(
                f"The losses are not finite numbers, and no checkpoint is left in {self.run.path} to go back to."
            )
        self.run.rewind(found[0].seen)
        self.resume_from(found[0], promised(self.run.config, found[0]))
        self._next_replan = time.perf_counter() + FIRST_REPLAN_SECONDS
        self.rollbacks, self.table.salt, self.table.learning_rate_scale = rollbacks, salt, scale
        self._teller.tell({**trouble, "seen": self.seen, "learning_rate_scale": scale})
