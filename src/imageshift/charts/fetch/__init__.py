"""Finding charts: in folders, archives, repositories and registries, and what is kept of them."""
