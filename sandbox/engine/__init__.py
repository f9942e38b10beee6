"""The Pulumi engine as the sandbox runs it: workspaces, commands, events, interruptions and recovery."""

from sandbox.engine.automation import NONE, EngineFailure, Outcome, PolicyRefusal, Stack

__all__ = ["NONE", "EngineFailure", "Outcome", "PolicyRefusal", "Stack"]
