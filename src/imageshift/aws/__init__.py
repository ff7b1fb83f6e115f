"""The ECR side of a move: rules as they are, checks of an account, warnings.

boto3, python-hcl2 and urllib3 come with the extra `imageshift[aws]` and are imported only when
something needs them.
"""

from imageshift.aws.client import AwsOptions
from imageshift.aws.found import FoundRule, Problem, RuleImport
from imageshift.aws.load import import_rules, load_rules
from imageshift.aws.used import UsedImage, used_image
from imageshift.data.upstreams import UPSTREAMS, Upstream, find_upstream

__all__ = [
    "UPSTREAMS",
    "AwsOptions",
    "FoundRule",
    "Problem",
    "RuleImport",
    "Upstream",
    "UsedImage",
    "find_upstream",
    "import_rules",
    "load_rules",
    "used_image",
]
