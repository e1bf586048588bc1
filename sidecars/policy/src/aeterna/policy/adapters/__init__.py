"""Cedar, and the folder that a bundle is read from."""
