"""The values of one chart that move its images: found, spelled for a tool, and proven."""
