"""The table of roads: tried with the real SDK, written beside the adapter."""

import asyncio
import json
import os
from importlib.resources import files

import pytest
from agents import (
    ApplyPatchTool,
    ComputerTool,
    CustomTool,
    FunctionTool,
    Handoff,
    InputGuardrailTripwireTriggered,
    LocalShellTool,
    MCPToolApprovalRequest,
    RunContextWrapper,
    Runner,
    ShellTool,
)
from agents.editor import ApplyPatchResult
from agents.realtime import RealtimeAgent
from openai.types.responses import (
    ResponseApplyPatchToolCall,
    ResponseCustomToolCall,
)
from openai.types.responses.response_output_item import LocalShellCall, McpApprovalRequest
from openai_desk import agent_of, call, desk_of, say, scripted
from test_openai_denials import RAISED, TOLD, raised
from test_openai_hosted import SHOWN, called, coded
from test_openai_hosted import tools as provided
from test_openai_native import Screen, Shop, click, hosted, searched, shell_call
from test_openai_voice import conversation

from policy_engine.adapters.openai_agents import UnmediatedError, guard_agent
from policy_engine.guard import Denied

YES, NO = "yes", "no"
ENDS = "no: the run ends"
REFUSED = "asked for, refused until then"
SAID = "Not like this."


def tool_policy(name, effect):
    """Return policies by which a call of a tool meets this effect."""
    rule = {"id": "r", "tools": [name], "effect": effect, "message": SAID}
    if effect == "redact":
        rule |= {"check": {"terms": {"any": ["acme"]}}}
        del rule["message"]
    if effect == "require_approval":
        rule["approval"] = {"approvers": ["finance"], "expires": "1h"}
    if effect != "redact":
        rule["when"] = "tool.size() > 0"
    return {"tools": {name: "allow"}, "rules": [rule]}


def function(seen):
    async def invoke(context, text):
        seen.append(text)
        return "ok"

    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    tool = FunctionTool("act", "", schema, invoke, strict_json_schema=False)
    return {"tools": [tool]}, call("act", {"text": "for acme"})


def behind(seen):
    async def note(result):
        return "ok"

    class Heard(type(scripted())):
        async def get_response(self, *args, **kwargs):
            seen.append(json.dumps(kwargs["input"]))
            return await super().get_response(*args, **kwargs)

    inner = agent_of(Heard([say("ok")]), name="inner")
    return {"tools": [inner.as_tool("act", "")]}, call("act", {"input": "for acme"})


def server(seen):
    class Watched(Shop):
        async def call_tool(self, tool_name, arguments, meta=None):
            seen.append(json.dumps(arguments))
            return await super().call_tool(tool_name, arguments, meta)

    return {"mcp_servers": [Watched()]}, call("buy", {"item": "for acme"})


def shell(seen):
    def execute(request):
        seen.append(json.dumps(request.data.action.commands))
        return "ok"

    return {"tools": [ShellTool(executor=execute, name="act")]}, shell_call("ls acme")


def local_shell(seen):
    def execute(request):
        seen.append(json.dumps(request.data.action.command))
        return "ok"

    action = {"type": "exec", "command": ["ls", "acme"], "env": {}}
    item = {"id": "a", "type": "local_shell_call", "call_id": "a", "status": "completed"}
    step = [LocalShellCall.model_validate({**item, "action": action})]
    return {"tools": [LocalShellTool(executor=execute)]}, step


def patch(seen):
    class Editor:
        def create_file(self, operation):
            seen.append(operation.diff)
            return ApplyPatchResult(status="completed", output="ok")

        update_file = delete_file = create_file

    item = {"type": "apply_patch_call", "id": "p", "call_id": "p", "status": "completed"}
    operation = {"type": "create_file", "path": "a", "diff": "+acme"}
    step = [ResponseApplyPatchToolCall.model_validate({**item, "operation": operation})]
    return {"tools": [ApplyPatchTool(editor=Editor())]}, step


def custom(seen):
    async def invoke(context, text):
        seen.append(text)
        return "ok"

    tool = CustomTool(name="act", description="", on_invoke_tool=invoke)
    step = [ResponseCustomToolCall(type="custom_tool_call", call_id="q", name="act", input="acme")]
    return {"tools": [tool]}, step


def computer(seen):
    class Watched(Screen):
        async def type(self, text):
            seen.append(text)

    step = click({"type": "type", "text": "acme"}, "k")
    return {"tools": [ComputerTool(computer=Watched())]}, step


TOOLS = [
    ("function tool", "act", function, "a copy with `on_invoke_tool` wrapped"),
    ("agent as tool", "act", behind, "made again of the guarded agent, then as a function tool"),
    ("tool of a local MCP server", "shop/buy", server, "`get_mcp_tools`, then as a function tool"),
    ("shell, local", "act", shell, "`executor` wrapped, `needs_approval`"),
    ("local shell", "local_shell", local_shell, "`executor` wrapped"),
    ("apply_patch", "apply_patch", patch, "`editor` wrapped, `needs_approval`"),
    ("custom tool", "act", custom, "`on_invoke_tool` wrapped, `needs_approval`"),
    ("computer", "computer*", computer, "the computer wrapped, action by action"),
]


def tool_row(tmp_path, name, build):
    """Try a road with each effect; return what became of deny, redact and approve."""
    found = []
    for effect in ("deny", "redact", "require_approval"):
        seen = []
        parts, step = build(seen)
        model = scripted(step, say("done"))
        desk = desk_of(tmp_path, {**tool_policy(name, effect), "handoffs": {"*": "allow"}})
        try:
            result = desk.run(agent_of(model, **parts))
        except Denied:
            assert seen == []
            found.append(ENDS)
            continue
        if effect == "redact":
            assert len(seen) == 1
            assert "acme" not in seen[0]
            found.append(YES)
        elif result.interruptions:
            assert seen == []
            assert effect == "require_approval"
            found.append("pauses the run")
        else:
            assert seen == []
            assert SAID in str(model.calls[1].input)
            found.append(YES if effect == "deny" else REFUSED)
    deny, redact, approve = found
    return deny, redact, REFUSED if approve == ENDS else approve


def handoff_row(tmp_path):
    for effect in ("deny", "require_approval"):
        entry = {"effect": effect, "message": SAID}
        if effect != "deny":
            entry["approval"] = {"approvers": ["finance"], "expires": "1h"}
        else:
            entry = {"rules": [{"id": "r", "when": "true", "effect": "deny", "message": SAID}]}
        desk = desk_of(tmp_path, {"handoffs": {"billing": entry}})
        model = scripted(call("transfer_to_billing"), say("done"))
        billing = agent_of(scripted(say("never")), name="billing")
        desk.run(agent_of(model, handoffs=[billing]))
        assert SAID in str(model.calls[1].input)
    assert len(desk.guard.approvals.pending()) == 1
    assert told_with_handoff(tmp_path) == '{"reason": "for <TERM>"}'
    return YES, YES, REFUSED


def told_with_handoff(tmp_path):
    """Return what a handoff is told where a rule redacts it."""
    heard = []
    billing = agent_of(scripted(say("done")), name="billing")

    async def invoke(context, text):
        heard.append(text)
        return billing

    schema = {"type": "object", "properties": {"reason": {"type": "string"}}}
    made = Handoff("to_billing", "", schema, invoke, "billing", strict_json_schema=False)
    desk = desk_of(tmp_path, {"handoffs": {"billing": "allow"}, "output": [text_policy("redact")]})
    model = scripted(call("to_billing", {"reason": "for acme"}))
    guarded = guard_agent(agent_of(model, handoffs=[made]), desk.guard, agents=[billing])
    asyncio.run(Runner.run(guarded, "hello", run_config=desk.config()))
    return heard[0]


def hosted_mcp_row(tmp_path):
    said = {}
    for effect in ("deny", "redact", "require_approval"):
        desk = desk_of(tmp_path, tool_policy("far/act", effect))
        guarded = guard_agent(agent_of(scripted(), tools=[hosted()["far"]]), desk.guard)
        data = McpApprovalRequest(
            id="m",
            type="mcp_approval_request",
            name="act",
            arguments='{"text": "acme"}',
            server_label="far",
        )
        request = MCPToolApprovalRequest(RunContextWrapper(context=None), data)
        said[effect] = asyncio.run(guarded.tools[0].on_approval_request(request))
    assert not any(answer["approve"] for answer in said.values())
    assert said["deny"]["reason"] == SAID
    return YES, "no: refused", REFUSED


def provider_row(tmp_path):
    tools = hosted()
    del tools["far"]
    desk = desk_of(tmp_path, {"tools": dict.fromkeys(tools, "deny")})
    model = scripted(say("done"))
    desk.run(agent_of(model, tools=list(tools.values())))
    assert model.calls[0].tools == []
    with pytest.raises(Denied):
        desk.run(agent_of(scripted([searched()])))
    for effect in ("redact", "require_approval"):
        desk = desk_of(tmp_path, tool_policy("web_search", effect))
        with pytest.raises(UnmediatedError):
            guard_agent(agent_of(scripted(), tools=[tools["web_search"]]), desk.guard)
    return "no: not offered", "no: refused at attachment", "no: refused at attachment"


def returned_row(tmp_path):
    for name, item in (("far/read", called("for acme")), ("code_interpreter", coded(logs="acme"))):
        for effect in ("deny", "redact"):
            rule = text_policy(effect)
            desk = desk_of(tmp_path, {"tools": {name: {"result": [rule]}}})
            agent = agent_of(
                scripted([item, *say("done")]), tools=provided()[2::3], model_settings=SHOWN
            )
            if effect == "deny":
                with pytest.raises(Denied, match=SAID):
                    desk.run(agent)
            else:
                assert "acme" not in repr(desk.run(agent).new_items)
    return ENDS, YES, NO


def voice_row(tmp_path):
    for effect, told in (("deny", ("", [SAID])), ("redact", ("for <TERM>", [None]))):
        desk = desk_of(tmp_path, {"output": [text_policy(effect)]})
        assert conversation(desk, agent_of(scripted(say("for acme"))), "hi") == told
    return ENDS, YES, NO


def realtime_row(tmp_path):
    desk = desk_of(tmp_path, {"tools": {"*": "allow"}})
    with pytest.raises(UnmediatedError):
        guard_agent(RealtimeAgent(name="voice"), desk.guard)
    refused = "no: refused at attachment"
    return refused, refused, refused


def text_policy(effect):
    rule = {"id": "r", "check": {"terms": {"any": ["acme"]}}, "effect": effect}
    if effect == "deny":
        rule["message"] = SAID
    return rule


def input_row(tmp_path):
    desk = desk_of(tmp_path, {"input": [text_policy("deny")]})
    model = scripted(say("never"))
    with pytest.raises(InputGuardrailTripwireTriggered):
        desk.run(agent_of(model), "from acme")
    assert model.calls == ()
    desk = desk_of(tmp_path, {"input": [text_policy("redact")]})
    model = scripted(say("done"))
    desk.run(agent_of(model), "from acme")
    assert "acme" not in str(model.calls[0].input)
    return ENDS, YES, NO


def response_row(tmp_path, *, streamed):
    desk = desk_of(tmp_path, {"output": [text_policy("deny")]})
    agent = agent_of(scripted(say("to acme")))
    with pytest.raises(Denied):
        (desk.stream if streamed else desk.run)(agent)
    desk = desk_of(tmp_path, {"output": [text_policy("redact")]})
    agent = agent_of(scripted(say("to acme")))
    if streamed:
        result, events = desk.stream(agent)
        assert "acme" not in repr(events)
    else:
        result = desk.run(agent)
    assert "acme" not in result.final_output
    return ENDS, YES, NO


def made_row(tmp_path):
    def made(context, agent):
        return "The customer is acme."

    desk = desk_of(tmp_path, {"input": [text_policy("deny")]})
    model = scripted(say("never"))
    with pytest.raises(Denied):
        desk.run(agent_of(model, instructions=made))
    assert model.calls == ()
    desk = desk_of(tmp_path, {"input": [text_policy("redact")]})
    model = scripted(say("done"))
    desk.run(agent_of(model, instructions=made))
    assert model.calls[0].system_instructions == "The customer is <TERM>."
    return ENDS, YES, NO


def described_row(tmp_path):
    class Talking(Shop):
        async def list_tools(self, run_context=None, agent=None):
            tools = await super().list_tools(run_context, agent)
            return [tool.model_copy(update={"description": "of acme"}) for tool in tools]

    shown = []
    for effect in ("deny", "redact"):
        policy = {"tools": {"*": "allow"}, "input": [text_policy(effect)]}
        model = scripted(say("done"))
        desk_of(tmp_path, policy).run(agent_of(model, mcp_servers=[Talking()]))
        shown.append([tool.description for tool in model.calls[0].tools])
    assert shown == [[], ["of <TERM>", "of <TERM>"]]
    return "no: the tool is hidden", YES, NO


def unjudged_row(tmp_path):
    given = [{"role": "assistant", "content": "of acme"}, {"role": "user", "content": "hello"}]
    sent = []
    for effect in ("deny", "redact"):
        desk, model = desk_of(tmp_path, {"input": [text_policy(effect)]}), scripted(say("done"))
        desk.run(agent_of(model), given)
        sent.append(model.calls[0].input[0]["content"])
    assert sent == ["[withheld]", "of <TERM>"]
    return "no: it is withheld", YES, NO


def model_row(tmp_path):
    desk = desk_of(tmp_path, {"models": {"small": "deny"}})
    model = scripted(say("never"))
    model.model = "small"
    with pytest.raises(Denied):
        desk.run(agent_of(model))
    assert model.calls == ()
    return ENDS, YES, NO


def rows(tmp_path):
    for title, name, build, road in TOOLS:
        yield (title, road, *tool_row(tmp_path, name, build))
    yield ("handoff", "`on_invoke_handoff` wrapped: stays with its agent", *handoff_row(tmp_path))
    yield ("hosted MCP server", "approval forced for every call", *hosted_mcp_row(tmp_path))
    yield (
        "web search, file search, code interpreter, images, hosted shell",
        "offered to the model or not; its use recorded, counted and labelled afterwards",
        *provider_row(tmp_path),
    )
    yield (
        "what tools of the provider and hosted MCP servers return",
        "the model wrapped: judged when the response comes in",
        *returned_row(tmp_path),
    )
    yield ("input", "blocking guardrail; session callback; the model wrapped", *input_row(tmp_path))
    yield (
        "instructions and prompt variables that are made for a request",
        "the model wrapped",
        *made_row(tmp_path),
    )
    yield ("what an MCP server says of a tool", "the model wrapped", *described_row(tmp_path))
    yield (
        "what stands in a conversation and nobody judged",
        "the model wrapped",
        *unjudged_row(tmp_path),
    )
    yield ("model request", "the model wrapped", *model_row(tmp_path))
    yield ("model response", "the model wrapped", *response_row(tmp_path, streamed=False))
    yield (
        "model response, streamed",
        "the model wrapped: each response is held until it is judged",
        *response_row(tmp_path, streamed=True),
    )
    yield (
        "an agent in a voice pipeline",
        "`guard_agent`, inside `with guard.session(…)`: the pipeline takes no configuration",
        *voice_row(tmp_path),
    )
    yield ("a realtime agent", "nothing: it is refused", *realtime_row(tmp_path))


CAUGHT = """
## What an application catches

Whatever is refused and ends a run is raised as `policy_engine.Denied`, from `Runner.run` and from
`stream_events()`: `denied.message` is what a user may be told, `denied.decision` says every reason
(and holds the request, so it is the operator's to read). Where the SDK has an exception of its
own, what is raised is that one too, so code that catches it goes on working;
`guardrail_result.output.output_info` there names the message and the rules.

| refused | raised | stage of the decision |
|---|---|---|
"""

READ = """
Nothing is raised where a model can act on the message:

| refused | who is told |
|---|---|
"""

CLOSING = """
A blocked message is taken out of the SDK's session again, or withheld from the model where only
some agents may not read it: the next message is answered.

## What else holds

- Text parts that stand side by side in a message are judged as the one text that is read, and each
  for itself; what is redacted is redacted in the parts where it stands. Text parts of a tool's
  result become one where they say something together that a rule acts on.
- A response is judged in all that can be read in it, by the rules of `output`: beside what is said,
  refusals and summaries of thoughts; titles, addresses and file names of citations; and whatever
  the model wrote for tools of the provider's and they brought back (code and logs, queries, pages
  and files found, commands, prompts of images, outputs of hosted MCP servers), which the rules of
  `result` of these tools judge besides. A rule about the answer alone, its length or its form, says
  so: `when: stage == "output"`. An image is told by no rule without `unread: allow`.
- Texts are judged as they stand and as they read: JSON writes a letter as `\\u0061`, and JSON in
  JSON twice so. Four decodings are looked through, in messages, responses, results and outputs;
  what is redacted there is redacted where it stands, and JSON stays JSON. An argument that holds
  JSON and would be treated otherwise once it is decoded is refused: it is to be written plainly.
- A streamed response that was changed keeps its events: those about items that nobody changed are
  handed on as they came, and where a call got an id of its own it stands in them. An item whose
  text or arguments were changed is told anew in its place, each text in one piece. An event that
  says what the response does not repeat at its end is left out.
- A trace's id that the application made itself stands in the records, where it is one line of at
  most 128 characters.
- A call that is permitted after redaction is kept redacted: in the run's items, in sessions, in
  written states, in the SDK's spans and in the next request. Two kinds are kept as the model wrote
  them: calls that are denied, and calls that people are asked about, because a condition that asks
  for them may hold for what was written alone; people see, and the call gets, what is redacted.
- The SDK's own spans of models hold what was said before it is judged, so `run_config` leaves
  `trace_include_sensitive_data` off unless the application or the environment says otherwise.
- A request to a model that fails without reporting its usage is counted: for what was sent, a
  token for three bytes, where the provider answered with an error; also for what came back, or
  all of `max_tokens`, where it may have gone on (a timeout, a broken line, a run that was
  cancelled, an error that nobody knows). Nothing is counted where nobody worked on it: HTTP 401,
  403, 404, 405, 410, 413, 415 and 429, and connections that were never made. So a retry is never
  held up; a budget over tokens holds over failures as far as `max_tokens` is set, and a limit
  over `stage: model_request` counts each attempt.
- Where tokens or cost are limited, a response that was completed without its usage holds up the
  next request (`limit.unsettled`): nobody knows what it used. Servers other than OpenAI's report
  the usage of a stream only where they are asked to. The SDK's `OpenAIChatCompletionsModel` is made
  to ask (`include_usage`) unless the agent's `ModelSettings` say otherwise; other models are not,
  so say `ModelSettings(include_usage=True)` there. For a server that reports none at all, call
  `guard.record_usage(model=…, input_tokens=…, output_tokens=…)` in the session after each turn.
- Answers, calls, results of tools and reasoning summaries that a history made by hand, a filter, a
  callback or a `handoff_history_mapper` put into the conversation are judged with the request, by
  the rules about `input`, each for itself: redacted in their place, or withheld from the model
  where they are denied. That is recorded once in a process, and the run goes on. What a guarded
  model said, a guarded tool returned and the policies told is known again by its words, in the same
  process and for the same `session=` and principal (the latest 50,000 things of a guard; without a
  session in the same run alone), and not judged again. A rule that is about nothing but what users
  say has `when: stage == "input"`.
- What an SDK session hands back to a run under `run_config` was written by runs, in whatever
  process, and is not judged again, however long it is; nor is what stands in a written run to which
  `apply_approvals` carries answers, with the `session=` of its `run_config`. That holds also for
  what was stored before there was a guard, so stores and written runs belong where nobody else
  writes. Words of users are redacted wherever they stand. What a callback or a filter changes of a
  history is new. Items that are given by hand beside an SDK session are stored as every agent may
  read them; given by hand without one, they are judged again when the run is resumed. A written run
  that is resumed without `apply_approvals`, or without a session's name, is read as made by hand,
  and so is an SDK session of a run under another configuration.
- Where the provider keeps the conversation (`conversation_id`, `previous_response_id`) the
  configuration has to be told so, `run_config(…, server_managed=True)`: the SDK takes no output
  guardrails there, and the run ends with a `UserError` that says it. An agent behind a tool is told
  so by `as_tool(…, run_config=run_config(…, server_managed=True))`.
- A call of a tool that the agent does not have (its author hides it, another agent has it, nobody
  has it) is recorded as denied, with what the model wrote: `guard.absent`, or the rule that denies
  its name. No limit counts it and nobody is asked. The model reads that it is not available, and
  the names of what it can call; a `tool_error_formatter` of the application may word the former.
- What an error handler says in place of a model is judged before any event holds it. What would
  have to be redacted there is refused.
- Where an `output_type` was promised, no message of the policies becomes the final output: after a
  denied call that would have ended the run the model goes on, and may answer with that type; a
  denied output ends the run. So does a redaction after which an answer is no longer of its type:
  the notes of the `Denied` name the rule.
- A denied handoff leaves the conversation of the agent that stays as it is: it is not folded
  (`nest_handoff_history`) and no `input_filter` is asked. The agent's own hooks hear of no handoff.
- Items of a conversation that change what a model may do (`additional_tools`,
  `configuration_update`, tools of the provider's in a `tool_search_output`) end the run.
- A configuration of the SDK's own that names a model, `RunConfig(model=…)`, ends the run before
  that model is called. One that names none is run with, unless the agent's model is given by its
  name: whose name it is, its `model_provider`, cannot be seen there, and the run ends.
- Of what `ModelSettings` add to a request (`extra_args`, `extra_body`, `extra_headers` and
  `extra_query`) that is let through, by its name, which neither moves a request nor holds what a
  model reads; the error lists it. `metadata` and `user` are read by no model, and are not judged.
- Sessions that share a budget over tokens or cost ask side by side while there is room for all that
  their requests may use, which is what they send and `max_tokens`; where there might not be, they
  wait for one another. That is so in one event loop, and as far as `max_tokens` is set and images
  are not large: otherwise such a budget is exceeded by what the requests under way use at most,
  one of each session.
- A guarded agent that was changed since (its model, name, tool-use behaviour or stored prompt, a
  handoff or what acts for it, a tool that is no function or what acts for it, an agent behind a
  tool) does not run, nor does a clone of it with such a change, nor a run that was paused before.
  Function tools and MCP servers that come later are judged like any other; so are instructions.
- An agent keeps its class and all that it has, whatever arguments its class takes. One whose class
  computes its tools, handoffs, model or hooks is refused, as is one that another guard guards.
- Policies tell tools apart by their names, so the run ends before a model is called where two tools
  of a graph differ only by case or Unicode form, where a tool of the agent's own has a slash in its
  name, and where a permitted tool of a server has one in the name that the server gives it.
- A call id that ran is denied, so a written run that is resumed twice makes its calls once. Where a
  model gives an id a second time (some servers count their calls from 0 in each response), the new
  call gets an id of its own before the SDK sees it. The ids of a conversation that the provider
  keeps are left as they are.
- An approval lifts one call. Of calls in a run that are alike, `apply_approvals` approves one, and
  the others stay pending; when it is made, people are asked about the next. A call whose tool the
  agent does not have in the context of the state stays pending too, and a warning says so: read
  the state with the context that the run had, `context_override=…`.
- `policy-engine coverage` and `tools export` list what an MCP server has without the author's
  `tool_filter`, where that is a function: what it shows differs from run to run. What a list of
  names hides (`create_static_tool_filter`) is left out. A server or a class of agents whose own
  code reads the context of a run to tell which tools there are is a gap.
- In a `responses_websocket_session`, run with `Runner` and
  `run_config(guard, …, model_provider=session.run_config.model_provider)`, or make a
  `ResponsesWebSocketSession(provider=session.provider, run_config=…)` of that configuration.
- A call whose arguments are no JSON object, or hold a key twice, is refused and recorded, and the
  model reads what is wrong with them: nobody is asked. In the conversation they stand in an object
  of one key, `(arguments that could not be read)`, which is refused whoever writes it.
- What a tool's author has told in place of a result, by a `timeout_error_function` or by a
  guardrail of the tool that rejects, is judged as the result of the tool.
- A function that `@guarded` guards with the same guard is refused as a tool: it would be counted,
  recorded and approved twice. One of another guard is judged by both.
- A copy of a guarded agent is guarded, `copy.deepcopy` included: it has lists and settings of its
  own, and shares its tools, handoffs and model, as a clone does.

## What does not

- The SDK takes a denied handoff for one from an agent to itself: `RunHooks.on_handoff`,
  `on_agent_start` and `AgentHooks.on_start`, and `agent_updated_stream_event`, tell of it.
- A tool of the provider's has run when the response that tells of it comes in, and the provider's
  model has read what it returned. A rule of its `result` ends the run before anything of that
  response leaves or is acted on, and what it redacts is redacted for everybody else. Web search
  shows its pages to the model alone; file search and the code interpreter show theirs where they
  are told to. Rules of a `result` that nobody would see are refused at attachment. So are
  conditions, limits and approvals for these tools; hosted MCP servers are asked before each call.
- An agent of a voice pipeline runs without `run_config`, so what is heard is judged where the model
  is asked, and is withheld from then on.
- A realtime session speaks before anything could be judged, and `guard_agent` refuses its agents.
  Their tools can be guarded: `RealtimeAgent(tools=guard_agent(Agent(…, tools=…), guard).tools)`. A
  guarded agent that is given to a `RealtimeRunner`, against its types, has its tools judged, and
  nothing that is said.
- A state that is resumed with agents that nobody guarded runs without policies, as the agents do.
  `apply_approvals` refuses such a state. Under `run_config` the run ends before a model is asked;
  the calls for which it had paused are made before that, because the SDK asks nobody there.
- Instructions, tools' descriptions and schemas that stand in the agent are its author's, and are
  not judged. Nor is what a session that summarises by a model of its own sends there.
- What only the provider can read or see is not judged: encrypted reasoning and compactions, items
  given by reference, conversations and prompts that it stores.
"""

INTRODUCTION = """\
# Roads of the OpenAI Agents SDK

What each road is mediated by, whether a denial reaches the model as a message, whether parts can
be redacted (of the arguments, where it is a call), and how people are asked. This file is written
by `tests/adapters/test_openai_roads.py`, which tries every cell with the SDK itself.

| road | mediated by | deny with a message | redact | approve |
|---|---|---|---|---|
"""


def caught(tmp_path):
    """Go through what is raised, tried at once and streamed."""
    for title, build, also, stage in RAISED:
        for streamed in (False, True):
            denied = raised(tmp_path, build, streamed=streamed)
            assert denied.decision.asked.stage == stage
            assert also is None or isinstance(denied, also)
        kinds = "`Denied`" if also is None else f"`Denied`, also as `{also.__name__}`"
        yield title, kinds, f"`{stage}`"


def read(tmp_path):
    """Go through what is told to models, tried likewise."""
    for title, build, who in TOLD:
        for streamed in (False, True):
            desk, agent = build(tmp_path)
            found = desk.stream(agent)[0] if streamed else desk.run(agent)
            assert SAID in repr((found.new_items, found.final_output))
        yield title, who


def table(found):
    return "".join(f"| {' | '.join(row)} |\n" for row in found)


def test_the_table_of_roads_is_true(tmp_path):
    text = INTRODUCTION + table(rows(tmp_path)) + CAUGHT + table(caught(tmp_path))
    text += READ + table(read(tmp_path)) + CLOSING
    path = files("policy_engine.adapters.openai_agents") / "ROADS.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text
