"""The registries that EKS' own add-ons come from: an add-on's images can't be redirected.

Source: Amazon EKS User Guide, "View Amazon container image registries for Amazon EKS add-ons"
(read 2026-11), and awslabs/amazon-eks-ami, whose nodes take their pause image from the same
accounts.
"""

__all__ = ["EKS_ACCOUNTS"]

EKS_ACCOUNTS = frozenset(
    {
        "013241004608",  # us-gov-west-1
        "066635153087",  # il-central-1
        "121268973566",  # ap-southeast-7
        "151610086707",  # ap-southeast-5
        "151742754352",  # us-gov-east-1
        "187977181151",  # us-isob-east-1
        "296578399912",  # ap-southeast-3
        "333609536671",  # ap-southeast-6
        "455263428931",  # eu-south-2
        "491585149902",  # ap-southeast-4
        "533267051163",  # ap-east-2
        "558608220178",  # me-south-1
        "590381155156",  # eu-south-1
        "602401143452",  # the Regions that need no opting in
        "608367168043",  # us-iso-west-1
        "725322719131",  # us-iso-east-1
        "759879836304",  # me-central-1
        "761377655185",  # ca-west-1
        "800184023465",  # ap-east-1
        "877085696533",  # af-south-1
        "900612956339",  # eu-central-2
        "900889452093",  # ap-south-2
        "918309763551",  # cn-north-1
        "961992271922",  # cn-northwest-1
    }
)
"""The accounts, in every partition."""
