"""Reports, and who writes them."""
