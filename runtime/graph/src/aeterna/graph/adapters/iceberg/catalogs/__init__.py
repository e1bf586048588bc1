"""The kinds of catalogs: a module for each, which opens what an address describes."""
