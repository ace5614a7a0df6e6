"""One file a tool: the question that is asked of it, and the pure parser of its answer."""
