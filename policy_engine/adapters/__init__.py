"""One room per agent framework: each mediates every road of its framework, or refuses."""
