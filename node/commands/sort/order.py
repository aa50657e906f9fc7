"""The orders of SORT. What is equal by its score is ordered by its bytes, as the original does it, backwards for DESC.

What is equal by the text of its weight stays in the order in which it was found, for DESC too.
"""


def by_scores(elements: list[bytes], scores: list[float], descending: bool) -> list[bytes]:
    order = sorted(range(len(elements)), key=scores.__getitem__)
    found = [elements[index] for index in order]
    begin = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or scores[order[end]] != scores[order[begin]]:
            if end - begin > 1:
                found[begin:end] = sorted(found[begin:end])
            begin = end
    if descending:
        found.reverse()
    return found


def by_weights(elements: list[bytes], weights: list[bytes | None], descending: bool) -> list[bytes]:
    """Those without a weight come before all others."""
    without = [element for element, weight in zip(elements, weights, strict=True) if weight is None]
    found = [(weight, element) for element, weight in zip(elements, weights, strict=True) if weight is not None]
    found.sort(key=first_of, reverse=descending)
    weighed = [element for _, element in found]
    return weighed + without if descending else without + weighed


def first_of(pair: tuple[bytes, bytes]) -> bytes:
    return pair[0]
