"""A support desk to run without any key: the agents are scripted, all else is real.

python -m policy_engine.adapters.openai_agents.example
"""
