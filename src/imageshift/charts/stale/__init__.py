"""Overrides that do nothing, or no longer fit their chart."""
