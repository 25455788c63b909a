"""An application as `module:agent` finds it."""

from agents import Agent, WebSearchTool, function_tool
from test_openai_native import Shop


@function_tool
def refund(order: str, amount: float) -> str:
    """Pay money back."""
    return f"{order} {amount}"


@function_tool
def stray(text: str) -> str:
    """Nobody wrote a policy for this."""
    return text


billing = Agent(name="billing", tools=[refund, stray], mcp_servers=[Shop()])
triage = Agent(name="triage", tools=[WebSearchTool()], handoffs=[billing])


def make():
    return triage
