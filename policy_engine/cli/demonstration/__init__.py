"""The demonstration: a scripted agent, its guarded tools, and how each decision is shown."""

from policy_engine.cli.demonstration.agent import SCRIPT, Act, Scene, play
from policy_engine.cli.demonstration.desk import tools_of
from policy_engine.cli.demonstration.show import scene_lines

__all__ = ["SCRIPT", "Act", "Scene", "play", "scene_lines", "tools_of"]
