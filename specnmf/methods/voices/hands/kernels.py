"""The search for hands, compiled.

A chord is a set of keys that both hands strike at once, from the lowest, with the
logarithms of their lengths. For each key, the hand that struck it last and the end of
that note are known. The right hand is 0, the left 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.jit import njit

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

#: The indices of the weights, in the order of `searching.WEIGHTS`.
SIDE, NEAREST, LENGTHS, STRETCH, LEAP, CROSSING, IDLE, SHARED, HANDOVER = range(9)

N_KEYS = 128
#: The lowest and highest key of a hand without keys.
ABOVE_ALL, BELOW_ALL = 999.0, -999.0
#: Chords up to this size may be divided in any way, larger ones are split once.
ANY_WAY = 4
#: Distances beyond an octave cost the same.
OCTAVE = 12.0
#: A key counts as held if its note lasts this many seconds longer: ends are not exact.
HELD = 0.08
#: Semitones per second by which a released key moves away.
FADING = 2.0
#: Semitones that a hand reaches beyond its last notes without moving, and the seconds
#: after which it may be anywhere.
REACH, MOVED = 5.0, 0.35
#: A lone note continues a lone note that ends within this many seconds of its onset.
JOINED = 0.1


@njit()
def n_ways(n_notes):
    """The number of ways in which two hands may share a chord."""
    return 1 << n_notes if n_notes <= ANY_WAY else n_notes + 1


@njit()
def hand_of(way, n_notes, i):
    """The hand that strikes note ``i`` of a chord."""
    right = (way >> i) & 1 if n_notes <= ANY_WAY else i >= way
    return 0 if right else 1


@njit()
def divide(times, first, keys, window, divisions):
    """Fill in the pitch that best divides the notes around each chord into two groups.

    That is Otsu's threshold of the pitches within ``window`` seconds, weighted by the
    roots of their counts, as repetitions add little information. Chord ``c`` has the
    notes from ``first[c]`` to ``first[c + 1]``.
    """
    counts = np.zeros(N_KEYS)
    n_chords = len(times)
    start = stop = 0
    for c in range(n_chords):
        while stop < n_chords and times[stop] <= times[c] + window:
            for i in range(first[stop], first[stop + 1]):
                counts[keys[i]] += 1
            stop += 1
        while times[start] < times[c] - window:
            for i in range(first[start], first[start + 1]):
                counts[keys[i]] -= 1
            start += 1
        divisions[c] = threshold(np.sqrt(np.maximum(counts, 0.0)))


@njit()
def threshold(counts):
    """The key that divides keys into two groups with the least variance within."""
    every = np.arange(len(counts))
    number, total = counts.sum(), (counts * every).sum()
    best, found = -1.0, total / number
    below, last, below_total = 0.0, -1, 0.0
    for key in every:
        if counts[key] == 0:
            continue
        if below > 0:
            above = number - below
            between = below_total**2 / below + (total - below_total) ** 2 / above
            if between > best:
                best, found = between, (last + key) / 2
        below += counts[key]
        below_total += counts[key] * key
        last = key
    return found


@njit()
def nearest(hand, key, now, player, until):
    """The distance of a key from the notes of a hand; past notes are farther away."""
    best, has_played = OCTAVE, False
    for other in range(N_KEYS):
        if player[other] == hand:
            has_played = True
            past = max(0.0, now - until[other])
            best = min(best, abs(other - key) + FADING * past)
    return best if has_played else 0.0


@njit()
def strain(hand, way, keys, lengths, now, division, player, until, last, w):
    """The cost of a hand's share of a chord.

    Returns the cost, and the lowest and highest of the keys that the hand strikes, and
    of those that it strikes or holds.
    """
    n_notes, side = len(keys), 1.0 if hand == 0 else -1.0
    low, high, n_own, mean, cost = ABOVE_ALL, BELOW_ALL, 0, 0.0, 0.0
    for i in range(n_notes):
        if hand_of(way, n_notes, i) == hand:
            key = keys[i]
            low, high = min(low, key), max(high, key)
            n_own += 1
            mean += lengths[i]
            cost -= w[SIDE] * side * max(-2.0, min(2.0, (key - division) / OCTAVE))
            cost += w[NEAREST] * nearest(hand, key, now, player, until) / OCTAVE
    lowest, highest = low, high
    for key in range(N_KEYS):
        if player[key] == hand and until[key] > now + HELD:
            lowest, highest = min(lowest, key), max(highest, key)
    if n_own == 0:
        idle = w[IDLE] if lowest > highest else 0.0
        return cost + idle, low, high, lowest, highest
    mean /= n_own
    for i in range(n_notes):
        if hand_of(way, n_notes, i) == hand:
            cost += w[LENGTHS] * min(1.5, abs(lengths[i] - mean))
    cost += w[STRETCH] * min(2.0, max(0.0, highest - lowest - OCTAVE) / OCTAVE)
    if last[hand, 2] >= 0:
        beyond = max(0.0, max(last[hand, 0] - low, high - last[hand, 1]) - REACH)
        soon = np.exp(-(now - last[hand, 2]) / MOVED)
        cost += w[LEAP] * min(2.0, beyond / OCTAVE) * soon
    return cost, low, high, lowest, highest


@njit()
def cost_of(way, keys, lengths, now, division, player, until, last, w):
    """The cost of one division of a chord between the hands."""
    right, r_low, r_high, r_lowest, _ = strain(
        0, way, keys, lengths, now, division, player, until, last, w
    )
    left, l_low, l_high, _, l_highest = strain(
        1, way, keys, lengths, now, division, player, until, last, w
    )
    cost = right + left
    crossed = 0.0  # by the struck keys only
    if r_low <= r_high and l_highest > BELOW_ALL:
        crossed = max(crossed, l_highest - r_low)
    if l_low <= l_high and r_lowest < ABOVE_ALL:
        crossed = max(crossed, l_high - r_lowest)
    cost += w[CROSSING] * min(2.0, crossed / OCTAVE)
    if r_low <= r_high and l_low <= l_high:
        if l_high >= r_low:
            cost += w[CROSSING]
        if keys[-1] - keys[0] <= OCTAVE:  # one hand could play it alone
            cost += w[SHARED]
    return cost


@njit()
def play(way, keys, now, player, last):
    """Store which hand struck each key."""
    n_notes = len(keys)
    for hand in range(2):
        low, high = N_KEYS, -1
        for i in range(n_notes):
            if hand_of(way, n_notes, i) == hand:
                low, high = min(low, keys[i]), max(high, keys[i])
                player[keys[i]] = hand
        if low < N_KEYS:
            last[hand, 0], last[hand, 1], last[hand, 2] = low, high, now


@njit()
def joined(first, keys, ends, until, c, now):
    """The lone key that a lone note continues; -1 if there is none."""
    if c == 0 or first[c + 1] - first[c] > 1 or first[c] - first[c - 1] > 1:
        return -1
    before = keys[first[c - 1]]
    if abs(ends[first[c - 1]] - now) > JOINED:
        return -1
    for key in range(N_KEYS):
        if key != before and until[key] > now + HELD:
            return -1
    return before


@njit()
def search(times, first, keys, ends, divisions, w, width, said):
    """Fill ``said`` with the hand of each note by a beam search."""
    n_chords = len(times)
    player = np.full((width, N_KEYS), -1, np.int8)
    last = np.full((width, 2, 3), -1.0)
    new_player, new_last = player.copy(), last.copy()
    until = np.full(N_KEYS, -np.inf)
    parent = np.zeros((n_chords, width), np.int32)
    chosen = np.zeros((n_chords, width), np.int32)
    total, n_states = np.zeros(width), 1
    for c in range(n_chords):
        own, now = keys[first[c] : first[c + 1]], times[c]
        lengths = np.log2(np.maximum(ends[first[c] : first[c + 1]] - now, 0.05))
        ways = n_ways(len(own))
        costs = np.empty(n_states * ways)
        before = joined(first, keys, ends, until, c, now)
        for state in range(n_states):
            for way in range(ways):
                cost = cost_of(
                    *(way, own, lengths, now, divisions[c]),
                    *(player[state], until, last[state], w),
                )
                if before >= 0 and hand_of(way, 1, 0) != player[state, before]:
                    cost += w[HANDOVER]
                costs[state * ways + way] = total[state] + cost
        order = np.argsort(costs, kind="mergesort")[:width]
        n_states = len(order)
        for place in range(n_states):
            state, way = divmod(order[place], ways)
            new_player[place], new_last[place] = player[state], last[state]
            play(way, own, now, new_player[place], new_last[place])
            parent[c, place], chosen[c, place] = state, way
            total[place] = costs[order[place]]
        player, new_player = new_player, player
        last, new_last = new_last, last
        for i in range(first[c], first[c + 1]):
            until[keys[i]] = ends[i]
    trace(first, parent, chosen, said)


@njit()
def trace(first, parent, chosen, said):
    """Follow the cheapest way back; the first state is the cheapest."""
    state = 0
    for c in range(len(first) - 2, -1, -1):
        n_notes = first[c + 1] - first[c]
        for i in range(n_notes):
            said[first[c] + i] = hand_of(chosen[c, state], n_notes, i)
        state = parent[c, state]
