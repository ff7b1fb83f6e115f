"""Move a GitOps repository onto an Amazon ECR pull-through cache."""
