"""Bots that change images by themselves: what they must know of the cache, and what undoes it."""

__all__: list[str] = []
