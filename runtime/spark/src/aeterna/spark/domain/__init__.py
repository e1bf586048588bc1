"""What the job knows without Spark: addresses, names and statements."""
