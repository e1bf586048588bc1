"""What is done with documents, communities and questions."""
