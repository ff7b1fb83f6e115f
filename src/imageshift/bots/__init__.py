"""Bots that change images by themselves: what they must know about the cache, and would undo."""

__all__: list[str] = []
