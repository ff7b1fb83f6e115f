"""What is known of values without rendering a chart."""
