"""The rows of the custom-resource table, one module a field of use."""
