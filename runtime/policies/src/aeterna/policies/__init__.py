"""The policy administration point: versions of the policies, what is wrong with them, who changed them, and when."""
