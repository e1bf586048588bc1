"""HTTP in, domain out."""
