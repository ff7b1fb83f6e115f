"""What a cluster runs, joined to the repository that should say so."""
