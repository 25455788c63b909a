"""The parts of `lint`: the project's settings, the sets, the mending."""
