"""Each gap of the SDK's hooks, and the test that it is closed."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from agents.realtime import RealtimeAgent
from openai_desk import desk_of

from policy_engine.adapters.openai_agents import UnmediatedError, guard_agent

HERE = Path(__file__).parent

GAPS = {
    "G1 parallel input guardrails leak side effects and tokens": [
        "test_a_denied_input_stops_before_the_model_and_every_tool",
        "test_a_denied_input_stops_a_streamed_run_before_any_event_of_a_model",
    ],
    "G2 guardrails miss handoff targets, agents between and text between": [
        "test_the_agent_after_a_handoff_and_the_one_behind_a_tool_are_judged",
        "test_a_text_beside_a_call_is_judged_before_the_call",
    ],
    "G3 guardrails cannot rewrite": [
        "test_a_model_is_sent_what_is_redacted_at_every_turn",
        "test_a_redacted_answer_is_redacted_everywhere",
    ],
    "G4 streaming deltas escape": ["test_no_event_of_a_stream_holds_what_may_not_leave"],
    "G5 handoffs, shells, patches, custom, computers and hosted tools have no guardrails": [
        "test_a_denied_handoff_stays_and_says_why",
        "test_a_shell_runs_what_was_judged_and_says_what_may_be_said",
        "test_patches_are_judged_one_by_one",
        "test_a_custom_tool_is_judged",
        "test_each_action_of_a_computer_is_judged_and_a_denial_ends_the_run",
        "test_what_cannot_be_mediated_is_refused_all_at_once",
    ],
    "G6 arguments cannot be rewritten": [
        "test_arguments_are_redacted_before_the_tool_sees_them_anywhere"
    ],
    "G7 agents as tools swallow denials": [
        "test_the_agent_after_a_handoff_and_the_one_behind_a_tool_are_judged",
        "test_tokens_of_an_agent_behind_a_tool_are_counted_once",
    ],
    "G8 output guardrails and conversations that the provider keeps": [
        "test_a_conversation_that_the_provider_keeps_can_be_guarded"
    ],
    "G9 approval comes before guardrails; defaults; MCP approvals without arguments": [
        "test_nobody_is_asked_about_a_call_that_is_denied_anyway",
        "test_a_default_does_not_take_the_policy_out_of_the_loop",
        "test_a_call_of_a_server_waits_for_an_approval",
    ],
    "G10 a blocked message poisons the session": [
        "test_a_blocked_message_does_not_stay_in_the_session",
        "test_a_message_that_only_some_agents_may_not_read_is_withheld_from_them",
    ],
    "G11 a written state loses its context, and is not signed": [
        "test_the_configuration_is_enough_to_resume",
        "test_of_two_processes_that_race_with_one_state_one_runs_it",
        "test_the_run_does_not_depend_on_the_state_for_who_asks",
        "test_an_argument_that_was_edited_lets_nothing_through",
        "test_another_session_or_principal_lets_nothing_through",
    ],
    "G12 siblings of a denied call": ["test_siblings_of_a_denied_call_are_each_decided"],
    "G13 realtime guardrails fail open": ["test_a_realtime_agent_is_refused"],
    "G14 hiding is not refusing": [
        "test_a_tool_that_is_never_permitted_is_hidden_and_refused",
        "test_a_hidden_tool_of_a_server_is_refused_by_name",
    ],
    "a configuration of the SDK's own names a model": [
        "test_a_model_of_a_configuration_of_the_sdks_own_is_not_called"
    ],
    "agents are changed after the attachment": [
        "test_a_guarded_agent_that_was_changed_does_not_run",
        "test_a_clone_with_something_else_does_not_run",
        "test_what_acts_for_a_tool_is_not_exchanged_later",
        "test_a_handoff_is_not_exchanged_later",
        "test_a_stored_prompt_that_comes_later_is_refused",
        "test_instructions_that_come_later_are_judged",
        "test_a_paused_run_of_an_agent_that_was_changed_does_not_go_on",
    ],
    "agents are of any class, and may be guarded already": [
        "test_an_agent_that_makes_itself_is_guarded_with_all_that_it_has",
        "test_what_a_class_computes_cannot_be_guarded_and_is_said",
        "test_a_second_guard_is_refused_with_what_to_do",
        "test_a_tool_of_another_guarded_agent_is_judged_for_the_one_that_has_it",
        "test_a_function_that_the_guard_guards_already_is_refused",
    ],
    "tools have names that pass for others": [
        "test_tools_that_look_alike_are_refused",
        "test_a_tool_that_comes_later_and_looks_like_another_ends_the_run",
        "test_a_tool_with_the_name_of_a_servers_tool_is_refused",
        "test_a_servers_tool_cannot_pass_for_another_servers",
    ],
    "models give a call id again": [
        "test_an_id_that_a_model_gives_again_is_a_call_of_its_own",
        "test_a_state_that_is_resumed_twice_runs_its_call_once",
        "test_the_ids_of_a_conversation_that_the_provider_keeps_stay",
    ],
    "requests say more than the conversation": [
        "test_instructions_that_a_function_makes_are_judged",
        "test_a_stored_prompt_is_refused_because_nobody_sees_its_tools",
        "test_settings_that_say_what_no_policy_sees_are_refused",
        "test_a_tool_that_says_what_may_not_be_read_is_not_shown",
    ],
    "handoffs tell something, and nest what users said": [
        "test_what_is_told_with_a_handoff_is_judged",
        "test_what_users_said_is_judged_in_a_nested_history_too",
    ],
    "texts come in parts": ["test_an_input_is_decided_alike_however_it_is_cut"],
    "the SDK keeps calls as models wrote them": [
        "test_what_is_redacted_is_redacted_wherever_it_is_kept"
    ],
    "failed requests report no usage": ["test_a_budget_is_not_evaded_by_provoking_errors"],
}


@pytest.mark.parametrize("gap", GAPS)
def test_each_gap_has_its_test(gap):
    known = set()
    for module in HERE.glob("test_openai_*.py"):
        tree = ast.parse(module.read_text("utf-8"))
        known |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert set(GAPS[gap]) <= known


def test_a_realtime_agent_is_refused(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"*": "allow"}})
    with pytest.raises(UnmediatedError, match="realtime"):
        guard_agent(RealtimeAgent(name="voice"), desk.guard)


def test_the_example_runs_in_four_processes():
    found = subprocess.run(
        [sys.executable, "-m", "policy_engine.adapters.openai_agents.example"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert found.returncode == 0, found.stderr
    golden = HERE / "example.txt"
    shown = re.sub(r"[\d,]+ characters", "N characters", found.stdout)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(shown, "utf-8")
    assert shown == golden.read_text("utf-8")
