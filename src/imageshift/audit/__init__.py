"""What a cluster runs, matched with the repository that should describe it."""
