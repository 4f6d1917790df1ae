"""Known sounds in a recording: fixed, adapted, beside free ones, of several frames."""

from contextlib import contextmanager

import numpy as np
import pytest

import specnmf
from specnmf import Audio, Factorization, ParameterError, Settings, TemplateError
from specnmf.factor.convolutive.model import ConvolutiveFactorization
from specnmf.factor.divergence import beta_divergence
from specnmf.methods.components.material import InMemory
from specnmf.methods.learned.fitting import degrees, fit_known
from specnmf.methods.learned.known import Known, check_given, known_of, n_rows
from specnmf.methods.learned.models import ConvolutiveModels, as_spectra
from specnmf.methods.learned.templates import Templates, write_templates

SR, N_FFT, HOP, N = 8000, 128, 32, 6000
GROUPS = ("low", "high", "high")


class Untold:
    """Stages that nobody looks at."""

    @contextmanager
    def stage(self, name, total=1):
        yield lambda done, total=total, note="": None


@pytest.fixture
def audio(rng):
    """Two tones, each on and off, in soft noise."""
    t = np.arange(N) / SR
    gates = t % 0.2 < 0.1, t % 0.3 < 0.15
    tones = [np.sin(2 * np.pi * f * t) for f in (500, 1500)]
    y = sum(tone * gate for tone, gate in zip(tones, gates, strict=True))
    return Audio(0.3 * y[np.newaxis] + 1e-3 * rng.standard_normal((1, N)), SR)


@pytest.fixture
def templates(rng):
    """Spectra near those of the tones, and one of noise."""
    bins = np.arange(N_FFT // 2 + 1)
    W = [np.exp(-((bins - peak) ** 2) / 3) + 1e-3 for peak in (8.6, 23.2)]
    W = np.stack([*W, 0.1 + rng.random(len(bins))], axis=1)[:, :, np.newaxis]
    names = "low", "high_1", "high_2"
    return Templates(W, names, GROUPS, sr=SR, n_fft=N_FFT, hop_length=HOP)


def lasting(templates, n_frames=3):
    """The same templates for some frames, as they fade."""
    fading = 0.6 ** np.arange(n_frames)
    W = templates.W * fading
    names, grid = (templates.names, templates.groups), (SR, N_FFT, HOP)
    return Templates(W, *names, *grid)


def fitted(audio, given, **options):
    settings = Settings(
        **{"n_fft": N_FFT, "hop_length": HOP, "max_iter": 30, "threads": 1, **options}
    )
    material = InMemory(audio, settings)
    known = known_of(given, material.grid)
    return fit_known(material, settings, Untold(), known)


def test_fixed_templates_stay_and_are_grouped(audio, templates):
    found = fitted(audio, templates)
    np.testing.assert_array_equal(found.factors.W, templates.W[:, :, 0])
    assert found.factors.labels == GROUPS
    assert found.templates == templates.names
    assert found.names == ("low", "high")
    assert found.pattern is None
    assert found.options.n_components == 3
    V, model = found.material.V, found.factors.W @ found.factors.H
    assert beta_divergence(V, model, 1) == pytest.approx(found.losses[-1], rel=1e-3)


@pytest.mark.parametrize("n_frames", [1, 3])
def test_the_cost_never_rises_while_templates_adapt(audio, templates, n_frames):
    given = templates if n_frames == 1 else lasting(templates)
    for beta in (0.0, 1.0, 2.0):
        for n_free in (0, 2):
            found = fitted(audio, given, adapt=0.4, beta=beta, n_free=n_free)
            assert (np.diff(found.losses) <= 1e-6 * found.losses[:-1]).all()


def test_templates_leave_their_start_by_degrees(audio, templates):
    start, left, costs = templates.W[:, :, 0], [], []
    for adapt in (0.0, 0.1, 0.5, 0.9, 1.0):
        found = fitted(audio, templates, adapt=adapt, max_iter=100).factors
        left.append(np.linalg.norm(found.W - start))
        V = fitted(audio, templates).material.V
        costs.append(beta_divergence(V, found.W @ found.H, 1))
        np.testing.assert_allclose(found.W.max(axis=0), 1, rtol=1e-5)
    assert left[0] == 0
    assert (np.diff(left) > 0).all()
    assert (np.diff(costs) < 0).all()


def test_the_degree_does_not_depend_on_how_loud_the_recording_is(audio, templates):
    loud, soft = (
        fitted(Audio(level * audio.samples, SR), templates, adapt=0.5).factors.W
        for level in (1.0, 0.01)
    )
    np.testing.assert_allclose(loud, soft, atol=1e-3)


def test_templates_of_a_group_are_held_by_the_one_that_is_heard_most(templates):
    known = Known(templates.W, templates.names, GROUPS)
    H = np.array([[1.0, 1.0], [0.0, 3.0], [1.0, 0.0], [5.0, 5.0]])  # the last is free
    heard, adapt = np.array([2.0, 3.0, 1.0]), 0.2
    found = degrees(H, known, Settings(adapt=adapt))
    own = found[:3]
    weights = (1 - own) / own * heard
    np.testing.assert_allclose(weights, (1 - adapt) / adapt * np.array([2, 3, 3]))
    assert found[3] == 1
    alone = degrees(H, Known(templates.W), Settings(adapt=adapt))[:3]
    np.testing.assert_allclose((1 - alone) / alone * heard, (1 - adapt) / adapt * 3)
    assert not degrees(0 * H, known, Settings(adapt=adapt))[:3].any()


def test_a_sound_that_is_not_heard_keeps_its_template(audio, templates):
    silent = Audio(np.zeros((1, N), np.float32), SR)
    found = fitted(silent, templates, adapt=1.0)
    np.testing.assert_array_equal(found.factors.W, templates.W[:, :, 0])
    assert not found.factors.H.any()


def test_free_components_are_the_rest(audio, templates):
    found = fitted(audio, templates, n_free=2)
    assert found.names == ("low", "high", "rest")
    assert found.templates[3:] == ("component_04", "component_05")
    np.testing.assert_array_equal(found.factors.W[:, :3], templates.W[:, :, 0])
    assert found.losses[-1] < fitted(audio, templates).losses[-1]


def test_templates_without_names_keep_the_names_of_components(audio, templates):
    W = templates.W[:, :, 0]
    for given in (W, Factorization(W, np.ones((3, 1)))):
        found = fitted(audio, given, adapt=0.5, n_components=4)
        labels = tuple(f"component_0{k}" for k in range(1, 5))
        assert found.names == found.factors.labels == labels
        assert found.templates == ()


@pytest.mark.parametrize("options", [{}, {"adapt": 0.3}, {"n_free": 1, "adapt": 0.3}])
@pytest.mark.parametrize("n_frames", [1, 3])
def test_threads_change_nothing(audio, templates, options, n_frames):
    given = templates if n_frames == 1 else lasting(templates)
    one, two = (fitted(audio, given, threads=n, **options) for n in (1, 2))
    np.testing.assert_array_equal(one.factors.W, two.factors.W)
    np.testing.assert_array_equal(one.factors.H, two.factors.H)


def test_templates_of_several_frames_are_found_where_they_start(rng):
    W = rng.random((65, 2, 4))
    given = Templates(W, ("a", "b"), ("a", "b"), SR, N_FFT, HOP)
    H = np.zeros((2, 40))
    H[0, [3, 20]], H[1, [10, 30]] = 1.0, 0.5
    V = ConvolutiveFactorization(given.W, H).model()
    settings = Settings(n_fft=N_FFT, hop_length=HOP, max_iter=200, tol=0, threads=1)
    audio = Audio(np.zeros((1, 39 * HOP), np.float32), SR)
    material = InMemory(audio, settings)
    material.transform = lambda stages: V.astype(np.float32)
    found = fit_known(material, settings, Untold(), known_of(given, material.grid))
    np.testing.assert_allclose(found.pattern.H, H, atol=0.02)
    np.testing.assert_array_equal(found.pattern.W, given.W)


def test_models_of_any_frames_are_parts_of_the_whole(rng):
    pattern = ConvolutiveFactorization(
        rng.random((9, 3, 4)), rng.random((3, 20)), ["a", "b", "a"]
    )
    models = ConvolutiveModels(pattern, names=("a", "b"))
    for frames in (slice(0, 20), slice(0, 2), slice(2, 5), slice(11, 20)):
        a, b = models.magnitudes(frames)
        np.testing.assert_allclose(a[0].T, pattern.model([0, 2])[:, frames], rtol=1e-5)
        np.testing.assert_allclose(b[0].T, pattern.model([1])[:, frames], rtol=1e-5)
        np.testing.assert_allclose(models.total(frames, [a, b]), a + b, rtol=1e-5)


def test_the_nearest_spectra_keep_what_each_frame_and_bin_has(rng):
    H = np.concatenate([rng.random((2, 20)), np.zeros((2, 4))], axis=1)
    pattern = ConvolutiveFactorization(rng.random((9, 2, 4)), H)
    factors = as_spectra(pattern)
    np.testing.assert_allclose(factors.W.max(axis=0), 1)
    for k in range(2):
        whole = pattern.model([k])
        near = np.outer(factors.W[:, k], factors.H[k])
        np.testing.assert_allclose(near.sum(axis=0), whole.sum(axis=0), rtol=1e-5)
        np.testing.assert_allclose(near.sum(axis=1), whole.sum(axis=1), rtol=1e-5)


def test_one_frame_of_several_is_a_spectrum(audio, templates):
    short = fitted(audio, templates, max_iter=100, solver="mu", tol=0)
    W = np.pad(templates.W, ((0, 0), (0, 0), (0, 2)))
    padded = Templates(W, templates.names, GROUPS, SR, N_FFT, HOP)
    long = fitted(audio, padded, max_iter=100, tol=0)
    assert long.losses[-1] == pytest.approx(short.losses[-1], rel=1e-3)
    np.testing.assert_allclose(long.factors.W, short.factors.W, atol=1e-5)


def test_how_many_there_are_is_known_before_the_recording(tmp_path, templates):
    write_templates(tmp_path / "t.npz", lasting(templates))
    assert n_rows(tmp_path / "t.npz", Settings()) == 9
    assert n_rows(tmp_path / "t.npz", Settings(n_free=2)) == 15
    assert n_rows(templates.W[:, :, 0], Settings()) == 8
    assert n_rows(templates.W[:, :, 0], Settings(n_free=0)) == 3
    assert n_rows(None, Settings(n_components=5)) == 5


def test_options_of_templates_need_templates():
    for options in ({"adapt": 0.1}, {"n_free": 0}):
        with pytest.raises(ParameterError, match="adapt and free are for given templ"):
            check_given(None, Settings(**options))


@pytest.mark.parametrize(
    "options", [{"solver": "hals", "beta": 2.0}, {"stop": "factors"}]
)
def test_solvers_that_cannot_adapt_are_refused(audio, templates, options):
    fitted(audio, templates, **options)
    with pytest.raises(ParameterError, match="adapt needs solver mu or auto"):
        fitted(audio, templates, adapt=0.5, **options)
    with pytest.raises(ParameterError, match="templates of several frames ne"):
        fitted(audio, lasting(templates), **options)


def test_more_free_components_than_frames_are_refused(templates):
    short = Audio(np.ones((1, 100), np.float32), SR)
    with pytest.raises(ParameterError, match="at most 4 free components fit .* --free"):
        fitted(short, templates, n_free=9)
    assert fitted(short, templates).factors.n_components == 3


def test_templates_that_do_not_fit_are_refused_by_the_name_of_their_file(
    tmp_path, audio, templates
):
    write_templates(tmp_path / "t.npz", templates)
    with pytest.raises(TemplateError, match=r"t\.npz: the templates have"):
        fitted(audio, tmp_path / "t.npz", n_fft=1024)
    with pytest.raises(TemplateError, match="^templates: the templates"):
        fitted(audio, templates, n_fft=1024)


def test_templates_may_be_given_to_decompose_as_they_are(audio, templates):
    stems = specnmf.decompose(
        audio, templates=templates, n_fft=N_FFT, hop_length=HOP, adapt=0.2, max_iter=20
    )
    assert list(stems) == ["low", "high"]
    total = sum(stem.samples for stem in stems.values())
    np.testing.assert_allclose(total, audio.samples, atol=1e-6)
