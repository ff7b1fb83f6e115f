"""Whether images are there at all: every upstream asked, by the OCI distribution API."""
