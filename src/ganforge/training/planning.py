"""The first plan of a run: from its budget, from another run's log, or from what a checkpoint had spent."""

from ganforge.errors import RunError, UsageError
from ganforge.training.budget import Budget, Plan, Schedule
from ganforge.training.checkpoints import Position
from ganforge.training.folder import Event, Run, RunConfig

DEFAULT_MINUTES = 20.0
NO_REPLAY = {"replay": None, "replay_threads": None, "replay_scores": None}


def asked_budget(minutes: float | None, images: int | None, repeated: Run | None) -> Budget:
    """What the user gave; the pictures that ``repeated`` saw, where its plan is to be replayed.

    Raises:
        UsageError: two budgets at once.
        RunError: there is no plan to replay.
    """
    if repeated is not None:
        if minutes is not None or images is not None:
            raise UsageError("A replayed run brings its own plan; leave --minutes and --images away.")
        plans = repeated.events("plan")
        if not plans:
            raise RunError(f"{repeated.path} has logged no plan to replay.")
        return Budget(images=_plan(plans[-1]).planned)
    if minutes is None and images is None:
        minutes = DEFAULT_MINUTES
    return Budget.of(minutes, images)


def first_schedule(config: RunConfig, speed: float | None, spent: float) -> Schedule:
    """The plan at the start: ``speed`` pictures a second for what ``spent`` seconds leave of the budget."""
    if config.replay is not None:
        return replayed(config, 0)
    if config.images is not None:
        return Schedule([Plan(0, 0.0, config.images)])
    assert config.seconds is not None
    return Schedule([Plan(0, 0.0, max(1, int((speed or 1.0) * (config.seconds - spent))))])


def replayed(config: RunConfig, seen: int) -> Schedule:
    """The plans of another run's log, taken up as far as ``seen`` pictures."""
    plans = [_plan(event) for event in config.replay or ()]
    schedule = Schedule(plans[:1], plans[1:])
    schedule.advance(seen)
    return schedule


def promised(config: RunConfig, position: Position) -> Schedule:
    """What is left of the plan at ``position``, of a longer budget given since, or of the plans that are replayed."""
    if config.replay is not None:
        return replayed(config, position.seen)
    plan = Plan(position.plan_seen, position.plan_fraction, position.planned)
    if config.images is not None and config.images > position.planned:
        plan = Plan(position.seen, position.seen / config.images, config.images)
    elif config.seconds is not None and position.seen >= position.planned and config.seconds > 1.05 * position.seconds:
        speed = position.seen / max(position.seconds, 1e-9)
        left = config.seconds - position.seconds
        plan = Plan(position.seen, position.seconds / config.seconds, position.seen + max(1, int(speed * left)))
    return Schedule([plan])


def extend(run: Run, position: Position, more: Budget) -> Schedule:
    """Give the run ``more`` from ``position`` on; the fraction restarts at spent/(spent + new)."""
    if more.seconds is not None:
        total = position.seconds + more.seconds
        run.extend(seconds=total, images=None, **NO_REPLAY)
        speed = position.seen / position.seconds if position.seconds > 0 else 1.0
        planned = position.seen + max(1, int(speed * more.seconds))
        return Schedule([Plan(position.seen, position.seconds / total, planned)])
    assert more.images is not None
    images = position.seen + more.images
    run.extend(seconds=None, images=images, **NO_REPLAY)
    return Schedule([Plan(position.seen, position.seen / images, images)])


def _plan(event: Event) -> Plan:
    return Plan(int(event["seen"]), float(event["fraction"]), int(event["planned"]))
