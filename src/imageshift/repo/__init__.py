"""The files of a repository: which are ours, how they are read, and how they are written."""
