"""Two examples for the help of each command."""

__all__ = ["epilog"]

_EXAMPLES = {
    "scan": ("imageshift scan", "imageshift scan apps --format json --output images.json"),
    "migrate": ("imageshift migrate --diff", "imageshift migrate apps --verify"),
    "check": ("imageshift check", "imageshift check --offline apps/web/deployment.yaml"),
    "revert": ("imageshift revert --base main", "imageshift revert --all --diff apps"),
    "map": ("imageshift map nginx:1.27", "imageshift map --inverse < images.txt"),
    "explain": (
        "imageshift explain apps/web/deployment.yaml:18",
        "imageshift explain natsio/nats-box apps",
    ),
    "verify": ("imageshift verify", "imageshift verify --base origin/main apps"),
    "warm": (
        "imageshift warm --pull",
        "imageshift warm --as job apps | kubectl apply --filename -",
    ),
    "values": (
        "imageshift values charts/queue --verify",
        "imageshift values nats --repo https://nats-io.github.io/k8s/helm/charts",
    ),
    "init": (
        "imageshift init --account 123456789012 --region eu-west-2",
        "imageshift init --force --rules-from terraform",
    ),
    "doctor": ("imageshift doctor", "imageshift doctor --offline --format json"),
    "audit": (
        "imageshift audit pods.json",
        "kubectl get pods -A -o json | imageshift audit -",
    ),
    "rules list": ("imageshift rules list .", "imageshift rules list --rules-from terraform ."),
    "rules import": ("imageshift rules import aws .", "imageshift rules import terraform"),
    "rules validate": (
        "imageshift rules validate .",
        "imageshift rules validate . --role eks-nodes",
    ),
    "infra terraform": (
        "imageshift infra terraform . --out cache",
        "imageshift infra terraform . --out cache --import aws",
    ),
    "infra cloudformation": (
        "imageshift infra cloudformation . > cache.yaml",
        "imageshift infra cloudformation --all --out cache",
    ),
    "bots renovate": ("imageshift bots renovate", "imageshift bots renovate --write"),
    "bots flux": ("imageshift bots flux", "imageshift bots flux --write clusters"),
    "bots argocd-image-updater": (
        "imageshift bots argocd-image-updater",
        "imageshift bots argocd-image-updater --write",
    ),
    "policy kyverno": (
        "imageshift policy kyverno > policy.yaml",
        "imageshift policy kyverno --exclude-namespace sandbox",
    ),
    "policy validating": (
        "imageshift policy validating > policy.yaml",
        "imageshift policy validating --name from-the-cache",
    ),
    "policy mutating": (
        "imageshift policy mutating > policy.yaml",
        "imageshift policy mutating --exclude-namespace sandbox",
    ),
}


def epilog(command: str) -> str:
    """The last part of a command's help: its examples, each on its own line."""
    return "\b\nExamples:" + "".join(f"\n  {example}" for example in _EXAMPLES[command])
