"""Questions and changes as tools of the Model Context Protocol."""
