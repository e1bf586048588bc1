"""What knowledge is made of: documents and their units, contributions, communities, reports, answers."""
