"""What happens to the images of releases: solved, planned, judged and told."""
