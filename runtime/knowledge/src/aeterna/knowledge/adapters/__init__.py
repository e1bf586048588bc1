"""What reads, keeps, clusters and speaks for the use cases."""
