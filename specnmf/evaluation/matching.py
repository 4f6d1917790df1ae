"""Matching: the estimate that belongs to each reference."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from specnmf.evaluation.correlation import Array


def match_by_name(
    references: Sequence[str], estimates: Sequence[str]
) -> dict[str, str | None]:
    """The estimate of each reference by name, or None.

    Equal names come first, then those that differ in case, then those that differ in
    spaces, underscores and hyphens.
    """
    matched: dict[str, str | None] = dict.fromkeys(references)
    for spell in (str, _folded, _plain):
        free = [name for name in estimates if name not in matched.values()]
        spelled = {spell(name): name for name in reversed(free)}
        for name in references:
            if matched[name] is None:
                matched[name] = spelled.pop(spell(name), None)
    return matched


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", _folded(name)).strip()


def match_by_score(
    references: Sequence[str], estimates: Sequence[str], scores: Array
) -> dict[str, str | None]:
    """The estimate of each reference in the assignment with the highest sum [1]_.

    The scores are (n_references, n_estimates).

    References
    ----------
    .. [1] Kuhn, "The Hungarian method for the assignment problem", 1955.
    """
    from scipy.optimize import linear_sum_assignment

    matched: dict[str, str | None] = dict.fromkeys(references)
    for i, j in zip(*linear_sum_assignment(scores, maximize=True), strict=True):
        matched[references[i]] = estimates[j]
    return matched
