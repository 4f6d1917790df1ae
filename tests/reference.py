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
