"""OpenAI Agents SDK: one line guards a whole graph of agents, through the SDK's public roads.

    from policy_engine.adapters.openai_agents import guard_agent, run_config

    agent = guard_agent(agent, guard)
    config = run_config(guard, session="s1", principal={"id": "u1", "roles": ["support"]})
    result = await Runner.run(agent, "…", run_config=config, session=…)

Both are needed. `guard_agent` puts decisions around all that an agent does: its tools, MCP
servers, handoffs, agents as tools and models; what cannot be mediated it refuses, all at once.
`run_config` says who asks, and judges what the agent is given and what it says in the end.
ROADS.md beside this file says for each road by what it is mediated.

A streamed run is judged in pieces as large as a model's response: each response is read to its
end before the first event of it leaves. What a rule redacts is redacted in what the model is
sent and in what it said; the SDK's session keeps the user's own words where it had them first.
"""

from policy_engine.errors import PolicyEngineError

try:
    import agents as _agents
except ImportError as error:
    raise PolicyEngineError(
        "the OpenAI Agents SDK is not installed: pip install 'policy-engine[openai]'"
    ) from error

from policy_engine.adapters.openai_agents.approvals import Applied, apply_approvals
from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError
from policy_engine.adapters.openai_agents.graph import guard_agent
from policy_engine.adapters.openai_agents.guardrails import (
    input_guardrail,
    output_guardrail,
    tool_guardrails,
)
from policy_engine.adapters.openai_agents.run import run_config

__all__ = [
    "Applied",
    "Gap",
    "UnmediatedError",
    "apply_approvals",
    "guard_agent",
    "input_guardrail",
    "output_guardrail",
    "run_config",
    "tool_guardrails",
]

del _agents
