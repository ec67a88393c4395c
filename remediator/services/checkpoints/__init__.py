"""The graph's memory: documents on a ref, and the LangGraph saver over them."""
