"""Running the kustomize program, fenced in: it reads nothing outside the root, fetches nothing."""
