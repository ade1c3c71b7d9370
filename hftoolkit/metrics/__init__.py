"""Scores as functions of a sum of per-row counts."""
