"""A knowledge base: documents that are found by what they mean."""
