"""Subnormal numbers: zero while we compute, and nowhere else."""

from functools import partial

import numpy as np
import pytest

import specnmf
from specnmf import Audio, Factorization, subnormals
from specnmf.audio.stft import Grid, channel_magnitudes, magnitude
from specnmf.factor.rank import choose_rank
from specnmf.parallel import workers
from specnmf.subnormals import FLUSH, PROCESSOR, exchange, flush_to_zero

pytestmark = pytest.mark.skipif(not FLUSH, reason="the processor has no such mode")

#: The flag of x86's MXCSR that says: an operand was subnormal, and not taken for zero.
MET = 0x0002

SR = 8000


def n_subnormal(*arrays):
    tiny = [np.finfo(array.dtype).tiny for array in arrays]
    pairs = zip(map(np.abs, arrays), tiny, strict=True)
    return sum(np.count_nonzero((a > 0) & (a < least)) for a, least in pairs)


def is_flushed(dtype=np.float32):
    return dtype(np.finfo(dtype).tiny) * dtype(0.5) == 0


def met_any(work, *, flushed=True):
    """Whether any operation of this thread met a subnormal number; and the result."""
    with pytest.MonkeyPatch.context() as patch:
        if not flushed:
            patch.setattr(subnormals, "FLUSH", 0)
        exchange(0, MET)
        result = work()
        return bool(exchange(0, MET) & MET), result


def sinking(dtype=np.float32, scale=1.0):
    """A matrix whose factors have entries that sink and sink: blocks, and gaps."""
    rng = np.random.default_rng(0)
    V = np.kron(np.eye(4), rng.random((15, 75)))
    V[:, ::7] = V[5] = 0
    V += 1e-6 * rng.random(V.shape) * (rng.random(V.shape) < 0.5)
    return (scale * V).astype(dtype)


def start_of(V, n_components=6):
    start = specnmf.starts.random(V.astype(np.float32), n_components, rng=0)
    return Factorization(start.W.astype(V.dtype), start.H.astype(V.dtype))


# --- the mode ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_subnormal_numbers_are_zero_within_alone(dtype):
    assert not is_flushed(dtype)
    with flush_to_zero():
        assert is_flushed(dtype)
        assert np.array([np.finfo(dtype).smallest_subnormal]) * dtype(1) == 0
        with flush_to_zero(on=False):
            assert not is_flushed(dtype)
        assert is_flushed(dtype)
    assert not is_flushed(dtype)


def test_an_error_ends_the_mode():
    with pytest.raises(ZeroDivisionError), flush_to_zero():
        _ = 1 / 0
    assert not is_flushed()


def test_a_thread_that_flushed_before_goes_on_to():
    before = exchange(FLUSH, FLUSH)
    try:
        specnmf.nmf(sinking(), 2, max_iter=2)
        assert is_flushed()
    finally:
        exchange(before & FLUSH, FLUSH)


@pytest.mark.parametrize("threads", [1, 2])
def test_all_threads_that_share_work_flush_and_none_that_waits(threads):
    with workers(threads) as mapper:
        assert all(mapper(lambda _: is_flushed(), range(20)))
        assert not is_flushed()


def test_callbacks_are_called_in_the_mode_of_the_caller():
    V, heard = sinking(), []

    def note(*_):
        heard.append(is_flushed())

    common = {"max_iter": 3, "tol": 0, "callback": note}
    specnmf.nmf(V, 2, **common)
    specnmf.hierarchical_nmf(V, [3, 2], **common)
    specnmf.deep_nmf(V, [3, 2], **common)
    specnmf.neural_nmf(V, [3, 2], max_iter=3, callback=note)
    specnmf.semisupervised_nmf(V, 2, labels=np.arange(300) // 75, **common)
    assert len(heard) > 12
    assert not any(heard)


def test_the_warnings_of_numpy_about_the_mode_stay_away():
    with flush_to_zero():
        for dtype in (np.float32, np.float64):
            assert np.finfo(dtype).smallest_subnormal is not None


# --- solvers -----------------------------------------------------------------------

SOLVERS = [(1, "joint"), (0, "joint"), (2, "hals"), (1, "mu"), (0, "mu"), (2, "mu")]

#: With these, entries sink below the least normal number within so many iterations.
SINK = [
    (1, "joint", np.float32, 300), (1, "mu", np.float32, 600),
    (2, "mu", np.float32, 300), (0.5, "mu", np.float32, 200),
    (3, "mu", np.float32, 200), (1, "joint", np.float64, 800),
    (2, "mu", np.float64, 1500),
]  # fmt: skip

only_x86 = pytest.mark.skipif(PROCESSOR != "x86_64", reason="its flag is looked at")


def factorised(V, beta, solver, max_iter=600, **options):
    return specnmf.nmf(
        V, start_of(V), beta=beta, solver=solver, max_iter=max_iter, tol=0,
        threads=1, **options,
    )  # fmt: skip


@pytest.mark.slow  # every solver
@only_x86
@pytest.mark.parametrize(("beta", "solver", "dtype", "max_iter"), SINK)
def test_no_solver_makes_or_meets_any(beta, solver, dtype, max_iter):
    fit = partial(factorised, sinking(dtype), beta, solver, max_iter)
    met, left = met_any(fit, flushed=False)
    assert met, "the case is none"
    met, result = met_any(fit)
    assert not met
    assert n_subnormal(result.W, result.H) == 0
    n = min(len(left.losses), len(result.losses))
    near = 1e-6 if beta in (1, 2) and dtype == np.float64 else 1e-3
    np.testing.assert_allclose(result.losses[:n], left.losses[:n], rtol=near)


@pytest.mark.parametrize(("beta", "solver"), SOLVERS)
def test_single_precision_goes_the_way_of_double(beta, solver):
    V = sinking()
    single = factorised(V, beta, solver, max_iter=300).losses
    double = factorised(V.astype(np.float64), beta, solver, max_iter=300).losses
    n = min(len(single), len(double))
    np.testing.assert_allclose(single[:n], double[:n], rtol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1e-10, 1e-30])
@pytest.mark.parametrize(("beta", "solver"), SOLVERS)
def test_zeros_stay_zero_under_support(beta, solver, scale, rng):
    V = sinking(scale=scale)
    W_mask, H_mask = rng.random((60, 6)) < 0.7, rng.random((6, 300)) < 0.7
    result = factorised(V, beta, solver, max_iter=300, support=(W_mask, H_mask))
    assert n_subnormal(result.W, result.H) == 0
    assert not result.W[~W_mask].any()
    assert not result.H[~H_mask].any()
    assert np.isfinite(result.losses).all()


def test_a_start_of_subnormal_numbers_is_one_of_zeros():
    V, start = sinking(), start_of(sinking())
    W, H = start.W.copy(), start.H.copy()
    W[:, 0], H[1] = 1e-39, 1e-40
    zeros_W, zeros_H = np.where(W < 1e-38, 0, W), np.where(H < 1e-38, 0, H)
    for solver in ("mu", "joint"):
        fits = [
            specnmf.nmf(V, Factorization(*pair), beta=1, solver=solver, max_iter=20)
            for pair in ((W, H), (zeros_W, zeros_H))
        ]
        np.testing.assert_array_equal(fits[0].W, fits[1].W)
        np.testing.assert_array_equal(fits[0].H, fits[1].H)


def test_threads_flush_alike():
    V = np.tile(sinking(), (1, 8))
    fits = [
        specnmf.nmf(V, 6, beta=1, max_iter=300, tol=0, threads=threads)
        for threads in (1, 2, 3)
    ]
    for other in fits[1:]:
        np.testing.assert_array_equal(other.W, fits[0].W)
        np.testing.assert_array_equal(other.H, fits[0].H)
    assert n_subnormal(fits[0].W, fits[0].H) == 0


def layers(method, **options):
    return method(sinking(), [6, 3], rng=0, threads=1, **options)


@pytest.mark.slow  # every solver
@only_x86
@pytest.mark.parametrize(
    "work",
    [
        partial(layers, specnmf.hierarchical_nmf, beta=1, max_iter=800, tol=0),
        partial(
            layers, specnmf.hierarchical_nmf, solver="mu", labels=np.arange(300) // 75,
            beta=1, restarts=2, max_iter=800, tol=0,
        ),
        partial(layers, specnmf.deep_nmf, max_iter=50),
        partial(layers, specnmf.neural_nmf, max_iter=50),
        lambda: specnmf.semisupervised_nmf(
            sinking(scale=1e-15), 6, labels=np.arange(300) // 75, beta=1,
            max_iter=800, tol=0, rng=0,
        ),
    ],
    ids=["hierarchical", "labelled", "deep", "neural", "semisupervised"],
)  # fmt: skip
def test_no_layers_make_or_meet_any(work):
    met, found = met_any(work)
    assert not met
    B = [] if found.B is None else [found.B]
    assert n_subnormal(*found.A, *found.S, *B) == 0


@only_x86
def test_neither_the_estimator_nor_the_choice_of_rank_meets_any():
    V = sinking()
    estimator = specnmf.NMF(6, beta=1, max_iter=500, tol=0)
    met, H = met_any(lambda: estimator.fit(V.T).transform(V.T))
    assert not met
    assert n_subnormal(H, estimator.components_) == 0
    assert not met_any(lambda: choose_rank(V, beta=1, threads=1))[0]


# --- sound -------------------------------------------------------------------------


def fading(n_channels=1):
    """Noise that fades out as far as single precision goes."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((n_channels, 2 * SR))
    audio = Audio((noise * np.geomspace(1, 1e-44, 2 * SR)).astype(np.float32), SR)
    assert n_subnormal(audio.samples) > 1000
    return audio


@only_x86
@pytest.mark.parametrize("n_channels", [1, 2])
def test_no_transform_of_a_fade_out_meets_any(n_channels):
    audio = fading(n_channels)
    grid = Grid.of(audio)
    for work in (
        lambda: specnmf.stft(audio).X.real,
        lambda: specnmf.stft(audio).X.imag,
        lambda: specnmf.stft(audio).magnitude(),
        lambda: magnitude(audio, grid, threads=1),
        lambda: channel_magnitudes(audio, grid, threads=1),
    ):
        met, found = met_any(work)
        assert not met
        assert n_subnormal(found) == 0


@only_x86
@pytest.mark.parametrize(
    ("mask", "power"), [("ratio", 1), ("ratio", 2), ("ratio", 8), ("binary", 1)]
)
def test_no_mask_of_a_fade_out_meets_any(mask, power):
    audio = fading()
    spectrogram = specnmf.stft(audio)
    factors = specnmf.nmf(spectrogram.magnitude(), 3, beta=1, max_iter=100)
    split = partial(
        specnmf.separate, spectrogram, factors, mask=mask, power=power, threads=1
    )
    met, sources = met_any(split)
    assert not met
    samples = [source.samples for source in sources.values()]
    assert n_subnormal(*samples) == 0
    np.testing.assert_allclose(sum(samples), audio.samples, atol=1e-6)
