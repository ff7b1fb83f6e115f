# The pull-through cache that the cluster's nodes pull from.

locals {
  open_upstreams = {
    k8s  = "registry.k8s.io"
    ecr  = "public.ecr.aws"
    quay = "quay.io"
  }
}

resource "aws_ecr_pull_through_cache_rule" "open" {
  for_each = local.open_upstreams

  ecr_repository_prefix = each.key
  upstream_registry_url = each.value
}

resource "aws_ecr_pull_through_cache_rule" "docker_hub" {
  ecr_repository_prefix = "docker-hub"
  upstream_registry_url = "registry-1.docker.io"
  credential_arn        = aws_secretsmanager_secret.docker_hub.arn
}

resource "aws_ecr_pull_through_cache_rule" "github" {
  ecr_repository_prefix = "ghcr"
  upstream_registry_url = "ghcr.io"
  credential_arn        = aws_secretsmanager_secret.github.arn
}

resource "aws_secretsmanager_secret" "docker_hub" {
  name = "ecr-pullthroughcache/docker-hub"
}

resource "aws_secretsmanager_secret" "github" {
  name = "ecr-pullthroughcache/github"
}
