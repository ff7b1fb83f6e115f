"""Charts: finding and rendering them, tracing values to images, and solving for overrides."""
