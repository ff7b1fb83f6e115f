"""Charts: find, render, trace values to images, and solve the overrides that move them."""
