"""Figures for musicians; matplotlib is imported nowhere else."""

from specnmf.output.figures import plain  # noqa: F401  # before all of matplotlib
from specnmf.output.figures.drums import DrumFigureData, draw_drum_figure
from specnmf.output.figures.factor_data import FigureData
from specnmf.output.figures.factorization import FIGURES, draw_figures
from specnmf.output.figures.known import draw_known_figure
from specnmf.output.figures.labels import LabelFigureData, draw_label_figure
from specnmf.output.figures.layers import LayerFigureData, draw_layer_figures
from specnmf.output.figures.note_data import NoteFigureData
from specnmf.output.figures.rank import draw_rank_figure
from specnmf.output.figures.score_data import ScoreFigureData
from specnmf.output.figures.separation import draw_score_figures
from specnmf.output.figures.transcription import draw_transcription

__all__ = [
    "FIGURES",
    "DrumFigureData",
    "FigureData",
    "LabelFigureData",
    "LayerFigureData",
    "NoteFigureData",
    "ScoreFigureData",
    "draw_drum_figure",
    "draw_figures",
    "draw_known_figure",
    "draw_label_figure",
    "draw_layer_figures",
    "draw_rank_figure",
    "draw_score_figures",
    "draw_transcription",
]
