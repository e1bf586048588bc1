"""Spark and igraph, as the job uses them."""
