"""The four-pixel GAN: everything in NumPy, every derivative by hand.

On an island where people's heads are slanted, a face is a picture of 2×2 pixels whose diagonal is dark:

    x = [x₁ x₂ x₃ x₄], 1 is dark, 0 is light; a face is about [1 0 0 1], read row by row

    critic  D(x) = σ(v·x + c)            one score, squashed into a probability of being real
    forger  G(z) = σ(w z + b)            four pixels from one random number z in [0, 1)

The example is Luis Serrano's ("A friendly introduction to GANs"); from the same random numbers this file arrives at the
weights and faces that his notebook prints. Derivations: docs/lessons/slanted.md.

Shapes: x is (4,) or (…, 4) in [0, 1] · z a number in [0, 1) · v, w, b are (4,) · c a number.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FACES: Array = np.array(
    [[1, 0, 0, 1], [0.9, 0.1, 0.2, 0.8], [0.9, 0.2, 0.1, 0.8], [0.8, 0.1, 0.2, 0.9], [0.8, 0.2, 0.1, 0.9]]
)
"""The five inhabitants, (5, 4)."""

LEARNING_RATE = 0.01
EPOCHS = 1000


def sigmoid(score: npt.ArrayLike) -> Array:
    """σ(s) = 1 / (1 + e⁻ˢ), for scores of any size: e is only ever raised to a negative power."""
    s = np.asarray(score, dtype=np.float64)
    small = np.exp(-np.abs(s))
    probability: Array = np.where(s >= 0, 1, small) / (1 + small)
    return probability


def log_sigmoid(score: npt.ArrayLike) -> Array:
    """ln σ(s) without rounding it to ln 0."""
    s = np.asarray(score, dtype=np.float64)
    return np.minimum(s, 0) - np.log1p(np.exp(-np.abs(s)))


@dataclass(frozen=True)
class Critic:
    """D: v (4,) and c."""

    weights: Array
    bias: float

    def score(self, pictures: Array) -> Array:
        """(…, 4) → (…): v·x + c, above 0 for what it takes for a face."""
        scores: Array = pictures @ self.weights + self.bias
        return scores

    def verdict(self, pictures: Array) -> Array:
        """(…, 4) → (…): the probability of being real."""
        return sigmoid(self.score(pictures))


@dataclass(frozen=True)
class Forger:
    """G: w (4,) and b (4,)."""

    weights: Array
    biases: Array

    def draw(self, z: npt.ArrayLike) -> Array:
        """(…) → (…, 4): a picture for each random number."""
        return sigmoid(self.scores(z))

    def scores(self, z: npt.ArrayLike) -> Array:
        """(…) → (…, 4): w z + b, before the squashing."""
        scores: Array = np.asarray(z)[..., None] * self.weights + self.biases
        return scores


HAND_CRITIC = Critic(np.array([1.0, -1, -1, 1]), -1.0)
"""What one would write down oneself: dark on the diagonal counts for, dark beside it against; a face's weighted sum exceeds 1."""
HAND_FORGER = Forger(np.array([1.0, -1, -1, 1]), np.array([1.0, -1, -1, 1]))
NON_FACE: Array = np.array([0.25, 1, 0.5, 0.75])
"""A picture that is no face."""


# --- errors and their derivatives -------------------------------------------------------------------------------------


def error_on_real(critic: Critic, picture: Array) -> float:
    """−ln D(x): small when the critic believes in a real picture."""
    return float(-log_sigmoid(critic.score(picture)))


def error_on_forged(critic: Critic, picture: Array) -> float:
    """−ln(1 − D(x)): small when the critic sees through a forged picture. 1 − σ(s) = σ(−s)."""
    return float(-log_sigmoid(-critic.score(picture)))


def critic_slopes_on_real(critic: Critic, picture: Array) -> tuple[Array, float]:
    """∂/∂v and ∂/∂c of −ln D(x): −(1 − D(x)) x and −(1 − D(x))."""
    surprise = 1 - float(critic.verdict(picture))
    return -surprise * picture, -surprise


def critic_slopes_on_forged(critic: Critic, picture: Array) -> tuple[Array, float]:
    """∂/∂v and ∂/∂c of −ln(1 − D(x)): D(x) x and D(x)."""
    fooled = float(critic.verdict(picture))
    return fooled * picture, fooled


def forger_slopes(critic: Critic, forger: Forger, z: float) -> tuple[Array, Array]:
    """∂/∂w and ∂/∂b of −ln D(G(z)): −(1 − D) v g(1 − g) z and −(1 − D) v g(1 − g), pixel by pixel."""
    g = forger.draw(z)
    seen_through = 1 - float(critic.verdict(g))
    slopes = -seen_through * critic.weights * g * (1 - g)
    return slopes * z, slopes


# --- the game ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """After one round with one face.

    Attributes:
        critic: after its two corrections.
        forger: after its own.
        z: the random number of this round.
        forged: (4,), what the forger drew before it was corrected.
        critic_error: −ln D(x) − ln(1 − D(G(z))), before the corrections.
        forger_error: −ln D(G(z)), judged by the corrected critic.
    """

    critic: Critic
    forger: Forger
    z: float
    forged: Array
    critic_error: float
    forger_error: float


def new_players(random: np.random.RandomState) -> tuple[Critic, Forger]:
    """Weights and biases from N(0, 1), in the notebook's order: the critic's weights, its bias, the forger's."""
    critic = Critic(random.normal(size=4), float(random.normal()))
    return critic, Forger(random.normal(size=4), random.normal(size=4))


def train_critic(critic: Critic, picture: Array, *, real: bool, rate: float = LEARNING_RATE) -> Critic:
    """A small step downhill on the critic's error about one picture."""
    weights, bias = (critic_slopes_on_real if real else critic_slopes_on_forged)(critic, picture)
    return Critic(critic.weights - rate * weights, critic.bias - rate * bias)


def train_forger(critic: Critic, forger: Forger, z: float, rate: float = LEARNING_RATE) -> Forger:
    """A small step downhill on −ln D(G(z)): the pixels move toward what the critic calls real."""
    weights, biases = forger_slopes(critic, forger, z)
    return Forger(forger.weights - rate * weights, forger.biases - rate * biases)


def play(
    seed: int, epochs: int = EPOCHS, rate: float = LEARNING_RATE, critic_rate: float = LEARNING_RATE
) -> Iterator[Moment]:
    """The game over all faces, ``epochs`` times; one Moment a face. Equal seeds give equal games."""
    random = np.random.RandomState(seed)
    critic, forger = new_players(random)
    for _ in range(epochs):
        for face in FACES:
            before = error_on_real(critic, face)
            critic = train_critic(critic, face, real=True, rate=critic_rate)
            z = float(random.rand())
            forged = forger.draw(z)
            before += error_on_forged(critic, forged)
            critic = train_critic(critic, forged, real=False, rate=critic_rate)
            fooling = error_on_real(critic, forged)
            forger = train_forger(critic, forger, z, rate=rate)
            yield Moment(critic, forger, z, forged, before, fooling)


def smoothed(values: Array, width: int = 100) -> Array:
    """(N,) → (N − width + 1,): means over ``width`` neighbours."""
    smooth: Array = np.convolve(values, np.full(width, 1 / width), mode="valid")
    return smooth
