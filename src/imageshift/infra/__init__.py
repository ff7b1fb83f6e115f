"""Terraform and CloudFormation for the cache: rules, secrets, permissions, repository templates.

Texts are made from plain values; writing them is a step of its own.
"""

from imageshift.infra.cloudformation import render_cloudformation
from imageshift.infra.plan import InfraOptions, InfraRule, SecretMode, plan_infra
from imageshift.infra.terraform import render_example, render_terraform
from imageshift.infra.write import write_files

__all__ = [
    "InfraOptions",
    "InfraRule",
    "SecretMode",
    "plan_infra",
    "render_cloudformation",
    "render_example",
    "render_terraform",
    "write_files",
]
