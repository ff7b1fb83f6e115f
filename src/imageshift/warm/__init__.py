"""Warming the cache: pulling each image once by its tag, before the roll-out needs it.

A digest that isn't cached yet is *reported* to fail on its first pull (facts 5: AWS's own text
reads otherwise, and nothing here was tried against a live account).
"""

from imageshift.warm.plan import Pin, Pull, WarmPlan, plan_warm
from imageshift.warm.pull import PinResult, PullResult, WarmReport, check_pins, pull_all
from imageshift.warm.registry import Login, RegistryClient
from imageshift.warm.render import WarmFormat, render_warm
from imageshift.warm.sync import SyncTool, render_sync

__all__ = [
    "Login",
    "Pin",
    "PinResult",
    "Pull",
    "PullResult",
    "RegistryClient",
    "SyncTool",
    "WarmFormat",
    "WarmPlan",
    "WarmReport",
    "check_pins",
    "plan_warm",
    "pull_all",
    "render_sync",
    "render_warm",
]
