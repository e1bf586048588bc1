"""How processes tell each other of commits: through PostgreSQL where it is the catalog, else not at all."""
