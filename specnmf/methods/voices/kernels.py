"""The search for voices, compiled; without slices and sorts, which compile slowly."""

from __future__ import annotations

import math

import numpy as np

from specnmf.jit import njit

#: The indices of the weights: see `specnmf.methods.voices.assigning`.
INTERVAL, FADING, OVERLAP, GRACE, CROSSING = range(5)

#: The largest leap that counts, an octave; the least length of a note, in seconds.
OCTAVE, BRIEFEST = 12.0, 1e-3


@njit(nogil=True, error_model="numpy")
def move_cost(i, v, last, until, s, start, end, pitch, weights):
    """The cost if voice ``v`` of state ``s`` plays note ``i`` next.

    ``last`` has each voice's last note, ``until`` its note with the latest end.
    """
    cost = 0.0
    duration = max(end[i] - start[i], BRIEFEST)
    if last[s, v] >= 0:
        size = min(abs(pitch[i] - pitch[last[s, v]]), OCTAVE)
        gap = max(0.0, start[i] - end[until[s, v]])
        cost += weights[INTERVAL] * size * math.exp(-gap / weights[FADING])
        common = min(end[until[s, v]], end[i]) - start[i]
        if common > weights[GRACE]:
            cost += weights[OVERLAP] * common / duration
    if weights[CROSSING] > 0:
        for u in range(last.shape[1]):
            other = last[s, u]
            if u != v and other >= 0 and (u - v) * (pitch[i] - pitch[other]) < 0:
                common = min(end[other], end[i]) - start[i]
                if common > weights[GRACE]:
                    cost += weights[CROSSING] * common / duration
    return cost


@njit(nogil=True, error_model="numpy")
def before(costs, a, b):
    """Whether ``a`` is cheaper than ``b``, or came first at equal cost."""
    return costs[a] < costs[b] or (costs[a] == costs[b] and a < b)


@njit(nogil=True, error_model="numpy")
def sift(heap, costs, n, place):
    """Move the entry at ``place`` down in a heap of ``n``, the cheapest first."""
    moved = heap[place]
    while 2 * place + 1 < n:
        child = 2 * place + 1
        if child + 1 < n and before(costs, heap[child + 1], heap[child]):
            child += 1
        if not before(costs, heap[child], moved):
            break
        heap[place] = heap[child]
        place = child
    heap[place] = moved


@njit(nogil=True, error_model="numpy")
def find(last, until, new, table):
    """The place in the table of state ``new``, or one with the same last notes."""
    n_voices, place = last.shape[1], 0
    for v in range(n_voices):
        place = (place * 31 + last[new, v] * 7 + until[new, v] + 8) % table.size
    while table[place] >= 0:
        same = True
        for v in range(n_voices):
            if (
                last[new, v] != last[table[place], v]
                or until[new, v] != until[table[place], v]
            ):
                same = False
        if same:
            break
        place = (place + 1) % table.size
    return place


@njit(nogil=True, error_model="numpy")
def keep(costs, heap, n, i, old, new, end, table, chosen):
    """Fill ``new`` with the cheapest different states after note ``i``; their number.

    ``old`` and ``new`` hold a state's last notes and those with the latest ends;
    ``chosen`` gets the index in ``costs`` of each new state.
    """
    (last, until), (new_last, new_until) = old, new
    n_voices, kept = last.shape[1], 0
    for p in range(table.size):
        table[p] = -1
    while n > 0 and kept < chosen.size:
        best = heap[0]
        n -= 1
        heap[0] = heap[n]
        sift(heap, costs, n, 0)
        s, v = best // (n_voices + 1), best % (n_voices + 1)
        for u in range(n_voices):
            new_last[kept, u], new_until[kept, u] = last[s, u], until[s, u]
        if v < n_voices:
            new_last[kept, v] = i
            if until[s, v] < 0 or end[until[s, v]] < end[i]:
                new_until[kept, v] = i
        place = find(new_last, new_until, kept, table)
        if table[place] < 0:
            table[place] = kept
            chosen[kept] = best
            kept += 1
    return kept


@njit(nogil=True, error_model="numpy")
def search(start, end, pitch, cost_of, weights, width, said):
    """Fill ``said`` with the voice of each note by a beam search; return its cost.

    ``cost_of`` (n, n_voices + 1) has the cost of each note in each voice and, last, in
    none. Of states with the same last notes, the cheapest is kept.
    """
    n, n_choices = cost_of.shape
    last = np.full((width, n_choices - 1), -1)
    until = np.full((width, n_choices - 1), -1)
    new_last = np.full((width, n_choices - 1), -1)
    new_until = np.full((width, n_choices - 1), -1)
    total, new_total, n_states = np.zeros(width), np.zeros(width), 1
    came = np.zeros((n, width), np.int64)
    chosen = np.zeros(width, np.int64)
    table = np.zeros(4 * width + 1, np.int64)
    costs = np.zeros(width * n_choices)
    heap = np.zeros(width * n_choices, np.int64)
    for i in range(n):
        n_costs = n_states * n_choices
        for c in range(n_costs):
            s, v = c // n_choices, c % n_choices
            costs[c], heap[c] = total[s] + cost_of[i, v], c
            if v < n_choices - 1:
                costs[c] += move_cost(i, v, last, until, s, start, end, pitch, weights)
        for place in range(n_costs // 2 - 1, -1, -1):
            sift(heap, costs, n_costs, place)
        n_states = keep(
            costs,
            heap,
            n_costs,
            i,
            (last, until),
            (new_last, new_until),
            end,
            table,
            chosen,
        )
        for k in range(n_states):
            new_total[k], came[i, k] = costs[chosen[k]], chosen[k]
        last, new_last = new_last, last
        until, new_until = new_until, until
        total, new_total = new_total, total
    state = 0
    for i in range(n - 1, -1, -1):
        said[i] = came[i, state] % n_choices
        state = came[i, state] // n_choices
    return total[0]
