"""A recording by templates that are known: fixed, or adapted by degrees."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.models import FactorModels, Models
from specnmf.audio.resynthesis import Stream
from specnmf.audio.stft import Float32, Grid
from specnmf.errors import ParameterError
from specnmf.factor import starts
from specnmf.factor.convolutive.model import ConvolutiveFactorization, random_start
from specnmf.factor.convolutive.nmfd import nmfd
from specnmf.factor.factorization import Factorization, component_labels
from specnmf.factor.iterate import Callback
from specnmf.factor.nmf import nmf
from specnmf.methods.components.material import InMemory, Material
from specnmf.methods.components.options import ComponentOptions
from specnmf.methods.components.scope import Scope, names_left_out
from specnmf.methods.learned.known import Known
from specnmf.methods.learned.models import ConvolutiveModels, as_spectra, scaled
from specnmf.methods.learned.templates import Templates
from specnmf.methods.progress import Stages, telling
from specnmf.methods.stems import RESTS, Sharing, stream_of

#: The stem of components that are learned beside the known ones.
REST = RESTS[0]


@dataclass(frozen=True, eq=False)
class KnownStems:
    """A recording as the sum of known sounds: `specnmf.methods.stems.Stems`.

    Attributes
    ----------
    options : ComponentOptions
        The options, with the number of components.
    factors : Factorization
        V ≈ W H; the label of each component is its stem.
    pitches : array, shape (n_components,)
        MIDI numbers; NaN without a pitch.
    templates : tuple of str
        The name of each component; empty if the templates have none.
    pattern : ConvolutiveFactorization or None
        Where templates have several frames, the model; ``factors`` is the nearest to it
        that there is of spectra.
    """

    material: Material
    options: ComponentOptions
    factors: Factorization
    pitches: NDArray[np.float64]
    templates: tuple[str, ...]
    pattern: ConvolutiveFactorization | None = None

    #: The number of components was not chosen, nor were they grouped by the recording.
    choice = groups = None
    remarks = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The stems, in order."""
        return tuple(dict.fromkeys(self.factors.labels))

    @property
    def components(self) -> Factorization:
        """The components, without what is left out of the factorisation."""
        left_out = names_left_out(self.grid, self.options)
        kept = slice(self.factors.n_components - len(left_out))
        own = self.factors
        return replace(own, W=own.W[:, kept], H=own.H[kept], labels=own.labels[kept])

    @property
    def grid(self) -> Grid:
        """The grid of the analysis."""
        return self.material.grid

    @property
    def losses(self) -> NDArray[np.float64]:
        """The cost after each iteration, or after each pass over a long recording."""
        return self.factors.losses

    def as_templates(self) -> Templates:
        """The templates as they are now; silent ones are left out."""
        W = self.factors.W[:, :, np.newaxis]
        W = W if self.pattern is None else self.pattern.W
        heard = np.flatnonzero(W.max(axis=(0, 2)))
        return Templates(
            W[:, heard].astype(np.float32),
            tuple(self.templates[k] for k in heard),
            tuple(self.factors.labels[k] for k in heard),
            sr=self.grid.sr,
            n_fft=self.grid.n_fft,
            hop_length=self.grid.hop_length,
        )

    def stream(self, options: Sharing) -> Stream:
        """Yield the stems as sound, block by block; they add up to the recording."""
        models: Models = FactorModels(self.factors)
        if self.pattern is not None:
            models = ConvolutiveModels(self.pattern, names=self.names)
        with self.material.spectra(len(models.names)) as spectra_of:
            n_channels = self.material.sound.n_channels
            yield from stream_of(spectra_of, self.grid, models, n_channels, options)


def fit_known(
    material: Material, options: ComponentOptions, stages: Stages, known: Known
) -> KnownStems:
    """Find known sounds in a recording.

    First the activations are fitted, with fixed templates; free components are learned
    beside them. Then the templates adapt by the degree ``options.adapt``, from these
    activations on: so a degree means the same for sounds that are heard often or
    seldom.

    Raises
    ------
    ParameterError
        If the recording is too short or too long for it, or the solver is for fixed
        spectra only.
    """
    check_options(options, known)
    if known.n_frames > 1 and not isinstance(material, InMemory):
        raise ParameterError(
            f"templates of {known.n_frames} frames need the whole recording in memory; "
            "use more --memory or a --duration"
        )
    n_free = n_free_of(options, known)
    V = material.transform(stages)
    scope = Scope.of(V, material.grid, options)
    V, known = scope.seen(V), replace(known, W=known.W[scope.band])
    if n_free > min(V.shape):
        raise ParameterError(
            f"at most {min(V.shape)} free components fit a spectrogram of {V.shape[0]} "
            f"bins x {V.shape[1]} frames, got {n_free}; use a smaller --free"
        )
    labels = stems_of(options, known)
    free = component_labels(len(labels))[known.n_templates :]
    templates = (*known.names, *free) if known.names else ()
    with stages.stage("factorise", 2 * options.max_iter) as step:
        find = _spectra if known.n_frames == 1 else _pattern
        found = find(V, known, n_free, options, telling(step, 0))
        if options.adapt > 0:
            told = telling(step, options.max_iter)
            found = _adapted(V, found, known, options, told)
    del V  # frees its memory
    found = replace(found, labels=labels)
    pattern = None if found.n_template_frames == 1 else found
    factors = _as_factors(found)
    fixed = np.arange(factors.n_components) < known.n_templates
    factors = material.refine(factors, fixed, scope, stages)
    options = replace(options, n_components=factors.n_components)
    factors = scope.completed(factors)
    with stages.stage("pitches"):
        pitches = material.pitches(factors)
    pitches[options.n_components :] = np.nan
    templates = (*templates, *scope.names) if templates else ()
    return KnownStems(material, options, factors, pitches, templates, pattern)


def n_free_of(options: ComponentOptions, known: Known) -> int:
    """How many components are learned beside the known ones."""
    if options.n_free is not None:
        return options.n_free
    if known.names:
        return 0
    return max(0, options.most_components - known.n_templates)


def check_options(options: ComponentOptions, known: Known) -> None:
    """Raise ParameterError if known templates cannot be fitted as is asked for."""
    if options.n_groups:
        raise ParameterError(
            f"{options.group} is for components without known groups; leave it out, or "
            "leave out --templates"
        )
    if known.n_frames > 1 and options.is_partial:
        raise ParameterError(
            f"templates of {known.n_frames} frames need the whole spectrogram; leave "
            "out fmin, fmax and whiten, or learn templates of one frame"
        )
    if options.adapt == 0 and known.n_frames == 1:
        return
    if options.solver not in ("auto", "mu") or options.stop != "cost":
        what = "adapt" if options.adapt else "templates of several frames"
        raise ParameterError(
            f"{what} needs solver mu or auto and stop cost, got {options.solver} and "
            f"{options.stop}"
        )


def expected_stems(
    options: ComponentOptions, grid: Grid, known: Known
) -> tuple[str, ...]:
    """The stems that there will be."""
    names = (*stems_of(options, known), *names_left_out(grid, options))
    return tuple(dict.fromkeys(names))


def stems_of(options: ComponentOptions, known: Known) -> tuple[str, ...]:
    """The stem of each component: its group, or ``rest`` for those that are learned."""
    n_free = n_free_of(options, known)
    if not known.names:
        return component_labels(known.n_templates + n_free)
    return (*known.groups, *[REST] * n_free)


def _spectra(
    V: Float32, known: Known, n_free: int, options: ComponentOptions, callback: Callback
) -> ConvolutiveFactorization:
    """Activations of known spectra, and free ones."""
    n_components = known.n_templates + n_free
    start = starts.random(V, n_components, rng=options.seed)
    W = start.W.copy()
    if n_free and options.init != "random":
        own = starts.make(V, n_free, init=options.init, rng=options.seed)
        W[:, known.n_templates :] = own.W
    W[:, : known.n_templates] = known.W[:, :, 0]
    found = nmf(
        V,
        replace(start, W=W),
        beta=options.beta,
        solver=options.solver,
        max_iter=options.max_iter,
        tol=options.tol,
        stop=options.stop,
        fixed=np.arange(n_components) < known.n_templates,
        threads=options.threads,
        callback=callback,
    )
    W = found.W[:, :, np.newaxis]
    return ConvolutiveFactorization(W, found.H, losses=found.losses)


def _pattern(
    V: Float32, known: Known, n_free: int, options: ComponentOptions, callback: Callback
) -> ConvolutiveFactorization:
    """Activations of known templates of several frames, and free ones."""
    n_components = known.n_templates + n_free
    rng = np.random.default_rng(options.seed)
    start = random_start(V, n_components, known.n_frames, rng)
    W = start.W.copy()
    W[:, : known.n_templates] = known.W
    return nmfd(
        V,
        replace(start, W=W),
        beta=options.beta,
        adapt=(np.arange(n_components) >= known.n_templates).astype(float),
        max_iter=options.max_iter,
        tol=options.tol,
        threads=options.threads,
        callback=callback,
    )


def _adapted(
    V: Float32,
    found: ConvolutiveFactorization,
    known: Known,
    options: ComponentOptions,
    callback: Callback,
) -> ConvolutiveFactorization:
    """The templates closer to the recording."""
    adapted = nmfd(
        V,
        found,
        beta=options.beta,
        adapt=degrees(found.H, known, options),
        max_iter=options.max_iter,
        tol=options.tol,
        threads=options.threads,
        callback=callback,
    )
    losses = np.concatenate([found.losses, adapted.losses])
    return replace(adapted, losses=losses)


def degrees(
    H: NDArray[np.floating], known: Known, options: ComponentOptions
) -> NDArray[np.float64]:
    """How far each component may adapt, for `specnmf.nmfd`.

    There, a template is held by as much as it is heard itself. But one that is seldom
    heard would soon become another sound: it costs little. So each is held by as much
    as the template of its group that is heard most; without groups, of all templates.
    One that is not heard stays.

    Parameters
    ----------
    H : array, shape (n_components, n_frames)
        The activations that fixed templates have, the known ones first.
    known : Known
        The known templates.
    options : ComponentOptions
        With the degree ``adapt`` of the template that is heard most.
    """
    powers = np.zeros(H.shape)
    np.power(H, options.beta, out=powers, where=H > 0)
    heard = powers.sum(axis=1)[: known.n_templates]
    groups = np.array(known.groups or [""] * known.n_templates)
    most = np.array([heard[groups == group].max() for group in groups])
    free = np.ones(len(H) - known.n_templates)
    return np.concatenate([_degree(options.adapt, heard, most), free])


def _degree(
    adapt: float, heard: NDArray[np.float64], most: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The degree at which (1 - a) / a times its own weight is that of the strongest."""
    own = adapt * heard
    total = own + (1 - adapt) * most
    return np.divide(own, total, out=np.zeros_like(own), where=total > 0)


def _as_factors(found: ConvolutiveFactorization) -> Factorization:
    """V ≈ W H; templates that have not been changed keep every digit."""
    if found.n_template_frames > 1:
        return as_spectra(found)
    W = np.ascontiguousarray(found.W[:, :, 0])
    factors = Factorization(W, found.H, found.labels, found.losses)
    return factors if (W.max(axis=0) == 1).all() else scaled(factors)
