"""What comes behind a chart: the entries and patches of post-renderers."""
