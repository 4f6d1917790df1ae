"""Figures that a musician can read; matplotlib is imported nowhere else."""

from specnmf.output.figures.factorization import FigureData, draw_figures
from specnmf.output.figures.score_data import ScoreFigureData
from specnmf.output.figures.separation import draw_score_figures

__all__ = ["FigureData", "ScoreFigureData", "draw_figures", "draw_score_figures"]
