"""Facts about the world as plain Python tables, each row with its source.

Nothing here reads a file or parses at import; every table is a tuple or frozenset.
"""
