"""What a turn needs only once, or not at all, is left out where it could say nothing."""

import copy
import dataclasses

import pytest
from agents import Agent, function_tool
from openai.types.responses import ResponseOutputText
from openai_desk import call, desk_of, say, scripted

from policy_engine.adapters.openai_agents import said, scope
from policy_engine.adapters.openai_agents.possible import is_possible
from policy_engine.decision import Request
from policy_engine.guard.enforced import copied

LIMIT = {
    "from": "app:limit",
    "schema": {"type": "object", "properties": {"most": {"type": "number"}}},
}
ASK = {"effect": "require_approval", "approval": {"approvers": ["boss"], "expires": "1h"}}
WORDS = {"effect": "deny", "check": {"terms": {"any": ["acme"]}}}


def paying(*rules):
    """Return a policy of one tool; what it may pay is a fact."""
    too_much = {"id": "much", "when": "args.amount > facts.limit.most", "effect": "deny"}
    entry = {"args": {"amount": {"type": "number"}}, "rules": [too_much, *rules]}
    return {"facts": {"limit": LIMIT}, "tools": {"pay": entry}}


@pytest.mark.parametrize(
    ("rules", "times"),
    [((), 1), (({"id": "ask", "when": "args.amount > 50.0", **ASK},), 2)],
    ids=["nobody could be asked", "people could be asked"],
)
def test_facts_are_looked_up_beforehand_only_where_people_could_be_asked(tmp_path, rules, times):
    asked, paid = [], []
    desk = desk_of(tmp_path, paying(*rules))
    desk.guard.fact("limit", lambda: asked.append(1) or {"most": 100})

    @function_tool
    def pay(amount: float) -> str:
        """Pay."""
        paid.append(amount)
        return "paid"

    model = scripted(call("pay", {"amount": 5.0}), say("ok"))
    desk.run(Agent(name="a", model=model, tools=[pay]))
    assert (len(asked), paid) == (times, [5.0])


def test_people_are_asked_where_only_some_calls_need_them(tmp_path):
    rule = {"id": "ask", "when": "args.amount > 50.0", **ASK}
    desk = desk_of(tmp_path, paying(rule))
    desk.guard.fact("limit", lambda: {"most": 100})
    tool = function_tool(lambda amount: "paid", name_override="pay", description_override="Pay.")
    tool.params_json_schema["properties"]["amount"] = {"type": "number"}
    result = desk.run(Agent(name="a", model=scripted(call("pay", {"amount": 60.0})), tools=[tool]))
    assert [one.name for one in result.interruptions] == ["pay"]
    assert desk.decisions("tool_call") == [("tool_call", "pay", "require_approval")]


def test_what_is_possible_is_told_anew_once_too_many_names_were_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("policy_engine.adapters.openai_agents.possible._MOST_NAMES", 2)
    engine = desk_of(tmp_path, {"tools": {"pay": ASK, "look": "allow"}}).guard.engine
    names = ["pay", "look", "other", "pay", "look"]
    found = [is_possible(engine, "require_approval", name, "a") for name in names]
    assert found == [True, False, False, True, False]


def test_a_configuration_is_copied_with_what_it_holds(tmp_path):
    config = desk_of(tmp_path, {"tools": {"*": "allow"}}).config(tracing_disabled=True)
    for made in (copy.copy(config), dataclasses.replace(config)):
        assert made.tracing_disabled is True
        assert made.input_guardrails is config.input_guardrails
        assert made.policy_guard is config.policy_guard
    assert scope.PolicyRunConfig.input_guardrails is None
    assert scope.PolicyRunConfig().tool_name_collision_policy == "warn"


def test_an_item_is_known_again_by_its_words_in_whatever_form(tmp_path, monkeypatch):
    monkeypatch.setattr(said, "KEPT", 3)
    guard = desk_of(tmp_path, {"input": [{"id": "words", **WORDS}]}).guard
    session = guard.session("s")
    part = {"type": "output_text", "text": "acme", "annotations": []}
    model = ResponseOutputText(**part)
    plain = {"role": "assistant", "content": [part]}
    others = [{"role": "assistant", "content": f"acme {number}"} for number in range(5)]
    said.note_said(guard, session, plain)
    forms = (plain, {**plain, "id": "m1"}, {"role": "assistant", "content": [model]})
    assert [said.was_said(guard, session, form) for form in forms] == [True] * 3
    assert said.was_said(guard, session, {"role": "assistant", "content": [b"none"]})
    assert not any(said.was_said(guard, session, other) for other in others)
    assert said.was_said(guard, session, plain)
    assert len(said._KEYS[guard]) == 3


def test_an_item_that_is_changed_in_place_is_not_known_any_more(tmp_path):
    guard = desk_of(tmp_path, {"input": [{"id": "words", **WORDS}]}).guard
    session, item = guard.session("s"), {"role": "assistant", "content": "fine"}
    said.note_said(guard, session, item)
    assert said.was_said(guard, session, item)
    item["content"] = "acme"
    assert not said.was_said(guard, session, item)


def test_a_request_of_a_class_of_its_own_stays_one(tmp_path):
    class Own(Request):
        __slots__ = ()

    session = desk_of(tmp_path, {"tools": {"*": "allow"}}).guard.session("s", agent="a")
    made = copied(Own(tool="pay", args={"list": [1]}), session)
    assert type(made) is Own
    assert (made.tool, made.args, made.session, made.agent) == ("pay", {"list": [1]}, "s", "a")
