"""The graph's own words: sessions of changes, snapshots, questions and answers."""
