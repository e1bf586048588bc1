"""The lens: one state of a graph in Arrow columns and compressed sparse rows, made for questions."""
