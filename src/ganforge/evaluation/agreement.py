"""Do samples carry what was asked for? Judged by nets that learnt from real pictures alone.

A classifier learns the attributes of the real pictures, a matcher their captions; neither has ever seen a sample, and
neither conditioned the generator. What they reach on held-out real pictures stands beside everything they say of samples.

    judge_labels ─► classifier ─► predict ─► agreement with what was asked, or shares of each value
                └─► matcher ─► picture_vectors, caption_vectors ─► recall_at_1

Shapes: N pictures, uint8 (N, H, W, 3) · A attributes · D numbers of a matcher's vectors.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ganforge.attributes import Choice, Flag, Schema, Table
from ganforge.drawing.grids import Pictures
from ganforge.errors import UsageError
from ganforge.evaluation import result
from ganforge.evaluation.judges import trained_judge
from ganforge.evaluation.sides import Indices, Maker, PackMaker, RealSide
from ganforge.game import PictureConfig
from ganforge.measures.distances import Features
from ganforge.measures.features import chunks_of
from ganforge.measures.labels import AMONG, agreement, different, recall_at_1, shares, translated
from ganforge.model.model import evaluating
from ganforge.pictures import Pack
from ganforge.progress import Progress, silent
from ganforge.systems.classifier import ClassifierConfig, outputs_of
from ganforge.systems.matcher import MatcherNet, plain
from ganforge.training.budget import Budget
from ganforge.training.watch import FEWEST_HELD_OUT

CLASSIFIER_SHARE = 1 / 2
"""Of the time, where there are captions as well: a matcher needs more of it than it takes to tell hats from hair."""
LEAST_MINUTES = 0.1
WEAK = 0.2
"""R@1 below which a matcher's own figure is worth a note."""


# --- what the judges see ----------------------------------------------------------------------------------------------


@torch.no_grad()
def predict(net: nn.Module, config: ClassifierConfig, pictures: Pictures) -> Table:
    """What a classifier sees in N pictures: a table (N, A) of its schema; NaN for what it did not learn."""
    with evaluating(net):
        outputs = torch.cat([net(batch).float().cpu() for batch in _batches(net, pictures)])
    table = np.full((len(pictures), len(config.attributes.attributes)), np.nan, np.float32)
    learnt = config.learnt()
    parts = torch.split(outputs, [outputs_of(attribute) for _, attribute in learnt], 1)
    for (column, attribute), mine in zip(learnt, parts, strict=True):
        if isinstance(attribute, Choice):
            table[:, column] = mine.argmax(1)
        elif isinstance(attribute, Flag):
            table[:, column] = mine[:, 0] > 0
        else:
            table[:, column] = attribute.low + (attribute.high - attribute.low) * (mine[:, 0].clamp(-1, 1) + 1) / 2
    return table


@torch.no_grad()
def picture_vectors(net: MatcherNet, pictures: Pictures) -> Features:
    """Where a matcher puts N pictures: (N, D), of length 1."""
    with evaluating(net):
        return torch.cat([net.image(batch).cpu() for batch in _batches(net, pictures)]).numpy()


@torch.no_grad()
def caption_vectors(net: MatcherNet, captions: Sequence[str]) -> Features:
    """Where a matcher puts N captions: (N, D), of length 1."""
    with evaluating(net):
        parts = [net.text(captions[start : start + 1000]).cpu() for start in range(0, len(captions), 1000)]
    return torch.cat(parts).numpy()


def _batches(net: nn.Module, pictures: Pictures) -> Iterator[Tensor]:
    device = next(net.parameters()).device
    for chunk in chunks_of(pictures):
        yield torch.from_numpy(np.ascontiguousarray(chunk)).permute(0, 3, 1, 2).to(device).float() / 127.5 - 1


# --- samples beside real pictures -------------------------------------------------------------------------------------


class Labels(NamedTuple):
    """What the judges say.

    Attributes:
        agreement: one entry an attribute.
        retrieval: None where the real pictures have no captions.
        notes: sentences on what could not be judged, or means little.
    """

    agreement: list[result.Agreement]
    retrieval: result.Retrieval | None
    notes: list[str]


def judge_labels(
    maker: Maker,
    real: RealSide,
    count: int,
    *,
    pictures: str,
    minutes: float | None = None,
    images: int | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Labels:
    """Train judges on the real pictures, and ask them about ``count`` samples. Judges trained before are used again.

    Args:
        maker: of the samples.
        real: the collection that the judges learn from.
        count: samples.
        pictures: the collection, as the user named it.
        minutes: for all judges; half of them where there are attributes and captions.
        images: pictures that the judges see, instead of minutes; divided likewise.
        settings: changes of both judges' configs.
        progress: told how far the training is.

    Raises:
        UsageError: too little time, neither minutes nor images, or samples of another size.
        TrainingError: not one step fits into the time.
        KeyboardInterrupt: stopped; the next call goes on from there.
    """
    Budget.of(minutes, images)  # one of them
    if minutes is not None and minutes < LEAST_MINUTES:
        raise UsageError(f"Judges of labels need {LEAST_MINUTES:g} minutes or more, not {minutes:g}.")
    pack, held_out = real.pack, real.held_out
    if not pack.schema.attributes and not pack.captioned:
        return Labels(
            [], None, [f"{real.name} carries no attributes and no captions: there are no labels to judge by."]
        )
    known = bool((~np.isnan(pack.table[held_out])).sum(0).max(initial=0) >= FEWEST_HELD_OUT)
    places, texts = _captioned(pack, held_out)
    told = len(places) >= FEWEST_HELD_OUT and different(texts) > 1
    notes: list[str] = []
    if (pack.schema.attributes and not known) or (pack.captioned and not told):
        what = "attributes" if told else "captions" if known else "labels"
        few = f"Too few of the {len(held_out)} held-out pictures of {real.name} have {what} to judge a judge by"
        notes.append(f"{few} ({FEWEST_HELD_OUT} are needed); none was trained.")

    def judge(recipe: str, what: str, share: float) -> tuple[nn.Module, PictureConfig]:
        share = share if known and told else 1.0
        return trained_judge(
            recipe,
            pack,
            pictures,
            minutes=None if minutes is None else minutes * share,
            images=None if images is None else round(images * share),
            settings=settings,
            what=what,
            progress=progress,
        )

    found: list[result.Agreement] = []
    retrieval: result.Retrieval | None = None
    if known:
        net, config = judge("classifier", "training a judge of attributes", CLASSIFIER_SHARE)
        assert isinstance(config, ClassifierConfig)
        found, said = _attributes(net, config, maker, real, count, progress)
        notes += said
    if told:
        net, _ = judge("matcher", "training a judge of captions", 1 - CLASSIFIER_SHARE)
        assert isinstance(net, MatcherNet)
        retrieval, said = _captions(net, maker, real, (places, texts), count, progress)
        notes += said
    return Labels(found, retrieval, notes)


def _attributes(
    net: nn.Module, config: ClassifierConfig, maker: Maker, real: RealSide, count: int, progress: Progress
) -> tuple[list[result.Agreement], list[str]]:
    """Every attribute of which enough held-out pictures are known."""
    schema, held_out = config.attributes, real.held_out

    def seen(chunks: Iterable[Pictures], total: int, what: str) -> Table:
        return np.concatenate([predict(net, config, c) for c in _told(chunks, total, real.pack, what, progress)])

    truth, asked = real.pack.table[held_out], _asked_attributes(maker, count, schema)
    ours = seen(chunks_of(real.pack.pictures, held_out), len(held_out), "judging real pictures")
    made = seen(maker.chunks(count), count, "judging samples")
    judges = {a.attribute: a for a in agreement(ours, truth, schema) if a.count >= FEWEST_HELD_OUT}
    agreed = {} if asked is None else {a.attribute: a for a in agreement(made, asked, schema)}
    found = []
    for i, attribute in enumerate(schema.attributes):
        if attribute.name not in judges:
            continue
        judge, samples = judges[attribute.name], agreed.get(attribute.name)
        of_real, of_made = shares(ours[:, i], attribute), shares(made[:, i], attribute)
        found.append(
            result.Agreement(
                attribute=attribute.name,
                kind=attribute.kind,
                judge=judge.value,
                judged_on=judge.count,
                chance=judge.chance,
                samples=None if samples is None else samples.value,
                samples_on=0 if samples is None else samples.count,
                shares=None if samples is not None else {v: (of_real[v], of_made[v]) for v in of_real},
            )
        )
    missing = [name for name in schema.names if name not in judges]
    guessed = [judge.attribute for judge in judges.values() if not judge.above_chance]
    lost = [name for name in judges if asked is not None and name not in agreed]
    notes = [
        (missing, "Too few held-out pictures say anything about {}: left out."),
        (
            guessed,
            "The judge itself does no better than chance on {}: what it says of samples means nothing there. More minutes "
            "(--labels) may help.",
        ),
        (lost, "Nothing that the real pictures know was asked of the samples about {}: shares stand there instead."),
    ]
    return found, [words.format(", ".join(names)) for names, words in notes if names]


def _captions(
    net: MatcherNet, maker: Maker, real: RealSide, own: tuple[Indices, list[str]], count: int, progress: Progress
) -> tuple[result.Retrieval, list[str]]:
    """How often a picture's own caption is found: of held-out pictures, and of samples that came with captions."""
    pack, asked = real.pack, _asked_captions(maker, count)
    among = min(AMONG, *(different(texts) for _, texts in ((own, asked) if asked is not None else (own,))))

    def found(chunks: Iterable[Pictures], total: int, chosen: Indices, texts: list[str], what: str) -> float:
        vectors = [picture_vectors(net, c) for c in _told(chunks, total, pack, what, progress)]
        return recall_at_1(np.concatenate(vectors)[chosen], caption_vectors(net, texts), texts, among)

    chunks = chunks_of(pack.pictures, real.held_out)
    judge = found(chunks, len(real.held_out), *own, "judging real pictures' captions")
    samples = None
    if asked is not None:
        samples = found(maker.chunks(count), count, *asked, "judging samples' captions")
    retrieval = result.Retrieval(
        among=among,
        judge=judge,
        judged_on=len(own[1]),
        samples=samples,
        samples_on=0 if asked is None else len(asked[1]),
    )
    notes = []
    if among < AMONG:
        notes.append(f"Captions were sought among {among}, not {AMONG}: there are no more different ones.")
    if judge < WEAK:
        notes.append(
            f"The judge of captions finds {100 * judge:.0f} of 100 real pictures' own ones, so it says little about "
            "samples. More minutes (--labels) make a better one."
        )
    return retrieval, notes


def _told(chunks: Iterable[Pictures], total: int, pack: Pack, what: str, progress: Progress) -> Iterator[Pictures]:
    """Chunks passed on, and how many pictures that were. Raises UsageError for those of another size than the pack's."""
    done = 0
    for chunk in chunks:
        if chunk.shape[1:3] != pack.size:
            (a, b), (c, d) = chunk.shape[1:3], pack.size
            raise UsageError(f"The samples are {b}x{a}, the real pictures {d}x{c}; both must be of one size.")
        yield chunk
        done += len(chunk)
        progress(what, done, total)


# --- what was asked of samples ----------------------------------------------------------------------------------------


def _asked_attributes(maker: Maker, count: int, schema: Schema) -> Table | None:
    """In the judge's encoding, (count, A); None where nothing was asked."""
    if not isinstance(maker, PackMaker):
        return None
    table = translated(maker.pack.table[maker.rows(count)], maker.pack.schema, schema)
    return None if np.isnan(table).all() else table


def _asked_captions(maker: Maker, count: int) -> tuple[Indices, list[str]] | None:
    """(which samples came with a caption, those captions); None where none did, or all with the same one."""
    if not isinstance(maker, PackMaker) or not maker.pack.captioned:
        return None
    places, texts = _captioned(maker.pack, maker.rows(count))
    return (places, texts) if different(texts) > 1 else None


def _captioned(pack: Pack, indices: Indices) -> tuple[Indices, list[str]]:
    """(which of these have a caption, one of each): where pictures have several, each of them gets its turn."""
    places, texts = [], []
    for place, index in enumerate(indices.tolist()):
        captions = [caption for caption in pack.captions(index) if plain(caption)]
        if captions:
            places.append(place)
            texts.append(captions[place % len(captions)])
    return np.array(places, np.int64), texts
