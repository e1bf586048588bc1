"""Knowledge of a tenant: documents in, communities and their reports above the graph, answers with evidence out."""
