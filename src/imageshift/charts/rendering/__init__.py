"""Rendering charts with Helm, and finding out which values make which images."""
