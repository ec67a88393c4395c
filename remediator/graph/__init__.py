"""The graph: state, nodes, routing, and what starts and resumes it."""
