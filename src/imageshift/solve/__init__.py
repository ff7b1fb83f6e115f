"""The search for changes after which every build delivers the same images, only mapped."""
