"""Several agents: each with its own tools, and handoffs with a cap."""

import pytest

from policy_engine import Denied, Request

POLICY = """
tools:
  read_page: {args: {url: {type: string}}}
handoffs: {writer: allow, researcher: allow}
limits:
  - {id: handoffs, stage: handoff, max: 3, by: [session], message: Three handoffs are the most. Finish the task.}
"""  # noqa: E501 - a policy keeps its lines
WRITER = """
applies_to: {agents: [writer]}
tools:
  save_text: {args: {text: {type: string, maxLength: 100}}}
"""


@pytest.fixture
def team(guard_by):
    guard = guard_by(POLICY, WRITER)

    @guard.tool
    def read_page(url: str) -> str:
        return "a page"

    @guard.tool
    def save_text(text: str) -> str:
        return "saved"

    # The list that each agent is shown. It is a convenience and no protection.
    tools = {"researcher": [read_page], "writer": [read_page, save_text]}
    return guard, tools


def hand_over(guard, session, target):
    """Hand over, as the loop of a user does, and go on under the other agent's name."""
    guard.enforce(
        Request(
            stage="handoff",
            target=target,
            agent=session.agent,
            session=session.id,
            principal=session.principal,
        )
    )
    return session.as_agent(target)


@pytest.mark.parametrize("agent", ["researcher", "writer"])
def test_an_agent_can_call_what_it_is_shown(agent, team):
    guard, tools = team
    arguments = {"read_page": "https://example.com", "save_text": "It is old."}
    with guard.session("s1", agent=agent, principal={"id": "u1"}):
        for tool in tools[agent]:
            assert tool(arguments[tool.__name__])


def test_an_agent_cannot_call_what_another_one_is_shown(team):
    guard, tools = team
    save_text = tools["writer"][1]
    with (
        guard.session("s1", agent="researcher", principal={"id": "u1"}),
        pytest.raises(Denied, match="This tool is not permitted") as denied,
    ):
        save_text("It is old.")
    assert denied.value.decision.reasons[0].rule == "seed0/default"


def test_nobody_in_particular_cannot_call_it_either(team):
    guard, tools = team
    with guard.session("s1", principal={"id": "u1"}), pytest.raises(Denied):
        tools["writer"][1]("It is old.")
    with pytest.raises(Denied):
        tools["writer"][1]("It is old.")


def test_after_a_handoff_the_other_agents_tools_are_there(team):
    guard, tools = team
    with guard.session("s1", agent="researcher", principal={"id": "u1"}) as session:
        other = hand_over(guard, session, "writer")
        with other:
            assert tools["writer"][1]("It is old.") == "saved"
        with pytest.raises(Denied):
            tools["writer"][1]("It is old.")


def test_a_game_of_hot_potato_ends(team, recorded):
    guard, _ = team
    session = guard.session("s1", agent="researcher", principal={"id": "u1"})
    targets = ["writer", "researcher", "writer"]
    for target in targets:
        session = hand_over(guard, session, target)
    with pytest.raises(Denied, match="Three handoffs are the most") as denied:
        hand_over(guard, session, "researcher")
    assert denied.value.decision.reasons[0].rule == "seed0/handoffs"
    assert [(r["target"], r["effect"]) for r in recorded()] == [
        *((target, "allow") for target in targets),
        ("researcher", "deny"),
    ]


def test_the_cap_is_each_sessions_own(team):
    guard, _ = team
    for name in ("s1", "s2", "s3"):
        session = guard.session(name, agent="researcher", principal={"id": "u1"})
        for target in ("writer", "researcher", "writer"):
            session = hand_over(guard, session, target)


def test_a_handoff_to_nobody_known_is_denied_and_not_counted(team):
    guard, _ = team
    session = guard.session("s1", agent="researcher", principal={"id": "u1"})
    for _ in range(5):
        with pytest.raises(Denied, match="not permitted"):
            hand_over(guard, session, "payroll")
    hand_over(guard, session, "writer")


def test_without_a_session_the_cap_cannot_be_told(team):
    guard, _ = team
    with pytest.raises(Denied, match="cannot be told"):
        hand_over(guard, guard.session(agent="researcher"), "writer")
