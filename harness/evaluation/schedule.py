"""Who is timed when: in small blocks, in random order, so that drift hits all alike."""

import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def schedule(
    contestants: Sequence[T], inferences: int, block: int, seed: int
) -> Iterator[tuple[int, T, int]]:
    """Rounds in which everybody has one block, in a new random order each round.

    Args:
        contestants: Who is timed.
        inferences: How many inferences each has in all.
        block: How many in one go; the last round may have fewer.
        seed: Of the orders.

    Yields:
        Number of the round, contestant, inferences to time now.
    """
    order = random.Random(seed)
    for number, start in enumerate(range(0, inferences, block)):
        for contestant in order.sample(contestants, len(contestants)):
            yield number, contestant, min(block, inferences - start)
