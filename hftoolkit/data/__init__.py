"""Rows: read from files and hub data sets, counted, kept on disk, split."""
