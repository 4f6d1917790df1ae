"""The algorithms again, in plain NumPy and double precision, easy to check."""

import numpy as np

EPS = np.finfo(np.float32).eps


def beta_divergence(V, P, beta):
    """Févotte and Idier 2011, equation 3; entries must be positive for beta <= 0."""
    V, P = np.asarray(V, float), np.asarray(P, float)
    if beta == 0:
        return np.sum(V / P - np.log(V / P) - 1)
    if beta == 1:
        logs = np.zeros_like(V)
        np.log(V / P, out=logs, where=V > 0)
        return np.sum(V * logs - V + P)
    own = V**beta + (beta - 1) * P**beta - beta * V * P ** (beta - 1)
    return np.sum(own) / (beta * (beta - 1))


def multiplicative_updates(V, W, H, beta, n_iter):
    """Févotte and Idier 2011, section 4: H, then W with the new H."""
    gamma = 1 / (2 - beta) if beta < 1 else 1 / (beta - 1) if beta > 2 else 1
    for _ in range(n_iter):
        P = W @ H
        ratio = (W.T @ (V * P ** (beta - 2))) / (W.T @ P ** (beta - 1) + EPS)
        H = H * ratio**gamma
        P = W @ H
        ratio = ((V * P ** (beta - 2)) @ H.T) / (P ** (beta - 1) @ H.T + EPS)
        W = W * ratio**gamma
    return W, H


def weighted_updates(V, weights, W, H, beta, n_iter):
    """The same where each entry's divergence is multiplied by its weight."""
    gamma = 1 / (2 - beta) if beta < 1 else 1 / (beta - 1) if beta > 2 else 1
    for _ in range(n_iter):
        P = W @ H
        negative, positive = weights * V * P ** (beta - 2), weights * P ** (beta - 1)
        H = H * (W.T @ negative / (W.T @ positive + EPS)) ** gamma
        P = W @ H
        negative, positive = weights * V * P ** (beta - 2), weights * P ** (beta - 1)
        W = W * (negative @ H.T / (positive @ H.T + EPS)) ** gamma
    return W, H


def fmp_nmf(V, W, H, n_iter, threshold):
    """The FMP notebook's loop (C8/C8S3_NMFbasic) with its own stop criterion."""
    iteration, changes = 0, (np.inf,)
    while iteration < n_iter and max(changes) >= threshold:
        iteration += 1
        old = W, H
        H = H * (W.T @ V / (W.T @ W @ H + EPS))
        W = W * (V @ H.T / (W @ H @ H.T + EPS))
        changes = np.linalg.norm(H - old[1], ord=2), np.linalg.norm(W - old[0], ord=2)
    return W, H, iteration


def hals_rows(V, W, H):
    """One sweep over the rows of H (Cichocki and Phan 2009, algorithm 2)."""
    H = H.copy()
    for k in range(len(H)):
        rest = V - W @ H + np.outer(W[:, k], H[k])
        H[k] = np.maximum(0, W[:, k] @ rest / (W[:, k] @ W[:, k]))
    return H


def max_normalize(W, H):
    """Each column of W to a maximum of 1, its scale in H."""
    peaks = W.max(axis=0)
    return W / peaks, H * peaks[:, None]


def ratio_masks(models, power):
    """M_k = m_k^p / sum_j m_j^p, and equal shares where all are zero."""
    powers = np.asarray(models, float) ** power
    total = powers.sum(axis=0)
    shares = np.full_like(powers, 1 / len(powers))
    return np.divide(powers, total, out=shares, where=total > 0)


def running_sum_integers(sources, mixture, scale):
    """q_k = round(s_1 + .. + s_k) - round(s_1 + .. + s_(k-1)), the last sum exact."""
    rest = (mixture - sources.sum(axis=0)) / len(sources)
    sums = np.rint(np.cumsum(sources + rest, axis=0) * scale)
    sums[-1] = np.rint(mixture * scale)
    return np.diff(sums, axis=0, prepend=0).astype(np.int64)


def lobe_spectra(lobes, n_bins):
    """P: lobes as whole spectra, (n_templates, n_detunings, n_partials, n_bins)."""
    P = np.zeros((*lobes.length.shape, n_bins))
    for place in np.ndindex(lobes.length.shape):
        first, n, offset = lobes.first[place], lobes.length[place], lobes.offset[place]
        P[place][first : first + n] = lobes.values[offset : offset + n]
    return P


#: The parametric model's factors and their axes: channel k, frame t, bin f; template
#: c, detuning d, partial m of notes; drum j, lag l; band b.
NOTES = {"strengths": "ctd", "amplitudes": "cm", "pans": "ck", "lobes": "cdmf"}
DRUMS = {"strikes": "jlt", "spectra": "jlkf"}
NOISE = {"noise": "ktb", "bands": "bf"}


def parametric_model(factors):
    """Notes (Hennequin, Badeau and David 2010), drums (Smaragdis 2004) and noise."""
    arrays = {**factors, "strikes": delayed(factors["strikes"], factors["spectra"])}
    return sum(
        np.einsum(
            ",".join(layer.values()) + "->ktf",
            *(arrays[name] for name in layer),
            optimize=True,
        )
        for layer in (NOTES, DRUMS, NOISE)
    )


def parametric_updates(V, factors, n_iter, pans_every):
    """What is each frame's own, and what all share, alternating between two kinds.

    Both have the same responsibilities, those of the model before; the sums that what
    all share is divided by are those of the new strengths. In the first iteration, what
    all share has those of the model in between.

    Returns the factors and the Kullback-Leibler divergence after each iteration.
    """
    losses = []
    for iteration in range(n_iter):
        ratio = V / parametric_model(factors)
        before, factors = (
            factors,
            updated(factors, factors, ("strengths", "noise"), ratio),
        )
        if iteration == 0:
            before, ratio = factors, V / parametric_model(factors)
        pans_are_due = iteration % pans_every == pans_every - 1
        shared = (
            "pans" if len(V) > 1 and pans_are_due else "amplitudes",
            "spectra" if iteration % 2 else "strikes",
        )
        factors = rescaled(updated(before, factors, shared, ratio))
        losses.append(beta_divergence(V, parametric_model(factors), 1))
    return factors, losses


def updated(before, factors, names, ratio):
    """The factors after an update of some of them, all from the model before."""
    new = dict(factors)
    for name in names:
        numerator = slope(before, name, ratio)
        denominator = slope(factors, name, np.ones_like(ratio))
        new[name] = factors[name] * np.divide(
            numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0
        )
    return new


def slope(factors, name, weights):
    """The slope of the weighted sum of the model in one factor."""
    arrays = {**factors, "strikes": delayed(factors["strikes"], factors["spectra"])}
    layer = next(layer for layer in (NOTES, DRUMS, NOISE) if name in layer)
    others = [other for other in layer if other != name]
    axes = ",".join(["ktf", *(layer[other] for other in others)])
    summed = np.einsum(
        f"{axes}->{layer[name]}",
        weights,
        *(arrays[other] for other in others),
        optimize=True,
    )
    return advanced(summed) if name == "strikes" else summed


def rescaled(factors):
    """Amplitudes that sum to one and pans of a mean of one, at the same model."""
    amplitudes, pans = factors["amplitudes"], factors["pans"]
    sums, means = amplitudes.sum(axis=1), pans.mean(axis=1)
    return {
        **factors,
        "amplitudes": amplitudes / sums[:, None],
        "pans": pans / means[:, None],
        "strengths": factors["strengths"] * (sums * means)[:, None, None],
    }


def delayed(x, spectra):
    """x[j, t - l] at [j, l, t]."""
    n_lags, n_frames = spectra.shape[1], x.shape[1]
    padded = np.pad(x, ((0, 0), (n_lags, 0)))
    lags = [padded[:, n_lags - lag :][:, :n_frames] for lag in range(n_lags)]
    return np.stack(lags, axis=1)


def advanced(y):
    """The sum over l of y[j, l, t + l] at [j, t]."""
    n_lags, n_frames = y.shape[1:]
    padded = np.pad(y, ((0, 0), (0, 0), (0, n_lags)))
    return sum(padded[:, lag, lag : lag + n_frames] for lag in range(n_lags))


def voices_cost(said, start, end, pitch, cost_of, weights):
    """What it costs that notes are played by the voices ``said``; the last is none."""
    interval, fading, overlap, grace, crossing = weights
    n_voices = cost_of.shape[1] - 1
    played = {v: [] for v in range(n_voices)}
    total = 0.0
    for i, v in enumerate(said):
        total += cost_of[i, v]
        if v == n_voices:
            continue
        duration = end[i] - start[i]
        if played[v]:
            until = max(end[k] for k in played[v])
            size = min(abs(pitch[i] - pitch[played[v][-1]]), 12)
            total += interval * size * np.exp(-max(0, start[i] - until) / fading)
            common = min(until, end[i]) - start[i]
            total += overlap * common / duration if common > grace else 0
        for u in range(n_voices):
            if u == v or not played[u]:
                continue
            last = played[u][-1]
            common = min(end[last], end[i]) - start[i]
            if common > grace and (u - v) * (pitch[i] - pitch[last]) < 0:
                total += crossing * common / duration
        played[v].append(i)
    return total


def convolved(W, H):
    """The model of templates (n_bins, n_components, n_lags)."""
    P = np.zeros((len(W), H.shape[1]))
    for lag in range(W.shape[2]):
        P += W[:, :, lag] @ shifted(H, lag)
    return P


def shifted(A, lag):
    """The columns so many places later, zeros before; earlier if negative."""
    out = np.zeros_like(A)
    n = A.shape[1]
    if abs(lag) < n:
        out[:, max(0, lag) : n + min(0, lag)] = A[:, max(0, -lag) : n - max(0, lag)]
    return out


def convolutive_updates(V, W, H, beta, n_iter):
    """Majorisation, as for NMF: H, then W with the new H."""
    gamma = 1 / (2 - beta) if beta < 1 else 1 / (beta - 1) if beta > 2 else 1
    lags = range(W.shape[2])
    for _ in range(n_iter):
        P = convolved(W, H)
        Q, S = V * P ** (beta - 2), P ** (beta - 1)
        more = sum(W[:, :, lag].T @ shifted(Q, -lag) for lag in lags)
        less = sum(W[:, :, lag].T @ shifted(S, -lag) for lag in lags)
        H = H * (more / (less + EPS)) ** gamma
        P = convolved(W, H)
        Q, S = V * P ** (beta - 2), P ** (beta - 1)
        ratios = [
            (Q @ shifted(H, lag).T) / (S @ shifted(H, lag).T + EPS) for lag in lags
        ]
        W = W * np.stack(ratios, axis=2) ** gamma
    return W, H


def joint_convolutive_updates(V, W, H, n_iter):
    """Kullback-Leibler: H, then W with the new H, both from one model."""
    lags, ones = range(W.shape[2]), np.ones_like(V)
    for _ in range(n_iter):
        Q = V / convolved(W, H)
        asked = sum(W[:, :, lag].T @ shifted(Q, -lag) for lag in lags)
        heard = sum(W[:, :, lag].T @ shifted(ones, -lag) for lag in lags)
        updated = H * asked / heard
        ratios = [
            (Q @ shifted(H, lag).T) / (ones @ shifted(updated, lag).T) for lag in lags
        ]
        W, H = W * np.stack(ratios, axis=2), updated
    return W, H


def averaging_updates(V, W, H, n_iter):
    """Smaragdis 2004: both factors from one model, H by the mean over the lags."""
    lags, ones = range(W.shape[2]), np.ones_like(V)
    for _ in range(n_iter):
        Q = V / convolved(W, H)
        ratios = [
            (Q @ shifted(H, lag).T) / (ones @ shifted(H, lag).T + EPS) for lag in lags
        ]
        W = W * np.stack(ratios, axis=2)
        H = H * np.mean(
            [
                (W[:, :, lag].T @ shifted(Q, -lag)) / (W[:, :, lag].T @ ones + EPS)
                for lag in lags
            ],
            axis=0,
        )
        W = W / (W.sum(axis=(0, 2))[:, np.newaxis] + EPS)
    return W, H


def running_medians(V, length):
    """Medians over the last axis, of odd length; V is mirrored beyond its edges."""
    half, n = length // 2, V.shape[-1]
    places = np.arange(-half, n + half) % (2 * n)
    padded = V[..., np.minimum(places, 2 * n - 1 - places)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, length, axis=-1)
    return np.median(windows, axis=-1)
