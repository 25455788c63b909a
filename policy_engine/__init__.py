"""Policy as code for LLM agents."""
