"""What AWS and Docker Hub ask and allow, with the dates of the figures.

Sources: the Amazon ECR and Amazon VPC pricing pages for US East (N. Virginia), March 2026; Docker's
documentation on usage and limits, April 2025 (facts 12.14). Other Regions have other prices.
"""

__all__ = [
    "ANONYMOUS_PULLS",
    "NAT_PER_GB",
    "PERSONAL_PULLS",
    "PRICES_OF",
    "STORAGE_PER_GB",
]

PRICES_OF = "us-east-1, March 2026"
"""The Region and date of the prices."""

STORAGE_PER_GB = 0.10
"""Dollars for a GB in a private repository and a month."""

NAT_PER_GB = 0.045
"""Dollars for a GB that passes through a NAT gateway."""

ANONYMOUS_PULLS = 10
"""Docker Hub's pulls in an hour without a login, for one IPv4 address or IPv6 /64."""

PERSONAL_PULLS = 100
"""Docker Hub's pulls in an hour with a personal account; paid ones have fair use."""
