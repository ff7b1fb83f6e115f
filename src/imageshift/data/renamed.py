"""Repositories that have moved as a whole: where an image may be that its registry has no more.

Source: Bitnami's announcement of the changes of its catalogue (bitnami/charts issue 35164,
August 2025): all images but the newest are in `bitnamilegacy`.
"""

__all__ = ["RENAMED"]

RENAMED = (("docker.io/bitnami/", "docker.io/bitnamilegacy/"),)
"""Beginnings of full names, and what stands in their place now: asked for, never taken for sure."""
