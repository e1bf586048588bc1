"""What the job does to the tables of all tenants."""
