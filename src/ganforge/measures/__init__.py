"""How good pictures are, in numbers: from arrays, and from what frozen nets see. No training."""
