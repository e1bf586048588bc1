"""Communities found by igraph and leidenalg."""
