"""Take a song apart with librosa and scikit-learn: the peer of ``specnmf decompose``.

The script that a competent user writes for the job that

    specnmf decompose SONG -k 16 --max-iter 200 --tol 0

does: read, factorise the magnitude spectrogram under the Kullback-Leibler divergence,
mask every channel once per component, write every stem in the song's own subtype,
draw the same five figures.

    python benchmarks/peer_decompose.py SONG OUT -k 16
"""

from __future__ import annotations

import argparse
from pathlib import Path

import librosa
import librosa.display
import matplotlib as mpl
import numpy as np
import soundfile as sf
from sklearn.decomposition import NMF

mpl.use("Agg")

import matplotlib.pyplot as plt


def main() -> None:
    args = parse_args()
    (args.out / "sources").mkdir(parents=True, exist_ok=True)
    (args.out / "figures").mkdir(exist_ok=True)
    subtype = sf.info(args.song).subtype
    samples, sr = sf.read(args.song, dtype="float32", always_2d=True)
    y = samples.T

    V = np.abs(librosa.stft(librosa.to_mono(y)))
    W, H, loss = factorise(V, args.k, args.max_iter)
    np.savez(args.out / "factors.npz", W=W, H=H)
    write_sources(y, W, H, args.out / "sources", sr, subtype)
    draw(V, W, H, loss, args.out / "figures", sr)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("song", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("-k", type=int, default=16, help="number of components")
    parser.add_argument("--max-iter", type=int, default=200)
    return parser.parse_args()


def factorise(V, k, max_iter):
    """Return templates, activations and the final divergence."""
    model = NMF(
        n_components=k,
        beta_loss="kullback-leibler",
        solver="mu",
        init="random",
        max_iter=max_iter,
        tol=0,
        random_state=0,
    )
    H = model.fit_transform(V.T).T
    return model.components_.T, H, model.reconstruction_err_


def write_sources(y, W, H, folder, sr, subtype):
    """Write a stem per component: its share of the model in every channel's STFT."""
    X = librosa.stft(y)
    model = W @ H + np.finfo(np.float32).eps
    for k in range(W.shape[1]):
        mask = np.outer(W[:, k], H[k]) / model
        source = librosa.istft(X * mask, length=y.shape[-1])
        path = folder / f"component_{k + 1:02}.wav"
        sf.write(path, source.T, sr, subtype=subtype)


def draw(V, W, H, loss, folder, sr):
    """Draw the five figures; scikit-learn keeps no history: the loss is one bar."""
    show_spectrogram(V, "Spectrogram", folder / "spectrogram.png", sr)
    show_spectrogram(W @ H, "Reconstruction", folder / "reconstruction.png", sr)

    fig, ax = plt.subplots(figsize=(10, 6))
    decibels = librosa.amplitude_to_db(W, ref=np.max)
    librosa.display.specshow(decibels, sr=sr, y_axis="log", ax=ax)
    ax.set(title="Templates", xlabel="Component")
    save(fig, folder / "templates.png")

    fig, ax = plt.subplots(figsize=(10, 6))
    librosa.display.specshow(H, sr=sr, x_axis="time", ax=ax)
    ax.set(title="Activations", ylabel="Component")
    save(fig, folder / "activations.png")

    fig, ax = plt.subplots(figsize=(4, 6))
    ax.bar(["final"], [loss])
    ax.set(title=f"Loss {loss:.4g}")
    save(fig, folder / "loss.png")


def show_spectrogram(V, title, path, sr):
    fig, ax = plt.subplots(figsize=(10, 6))
    decibels = librosa.amplitude_to_db(V, ref=np.max)
    image = librosa.display.specshow(
        decibels, sr=sr, x_axis="time", y_axis="log", ax=ax
    )
    fig.colorbar(image, ax=ax, format="%+2.0f dB")
    ax.set(title=title)
    save(fig, path)


def save(fig, path):
    fig.savefig(path, dpi=150)
    plt.close(fig)


if __name__ == "__main__":
    main()
