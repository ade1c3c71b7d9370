"""Checkpoints: found, loaded, checked, adapted, begun from scratch."""
