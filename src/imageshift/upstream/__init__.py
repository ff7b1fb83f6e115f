"""Whether images are there, and how large they are: every upstream asked, by the OCI API."""
