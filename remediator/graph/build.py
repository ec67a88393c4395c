"""The graph: which ports each node gets, and where the flow can go after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph.graph import END, START, StateGraph

from remediator.graph import routing
from remediator.graph.base_cache import RecentBases
from remediator.graph.limits import RunLimits
from remediator.graph.merged_change import MergedChange
from remediator.graph.nodes.analyze_root_cause import analyze_root_cause
from remediator.graph.nodes.classify_error import classify_error
from remediator.graph.nodes.collect_logs import collect_logs
from remediator.graph.nodes.commit_changes import commit_changes
from remediator.graph.nodes.final_feedback import final_feedback
from remediator.graph.nodes.generate_action import generate_action
from remediator.graph.nodes.get_user_feedback import get_user_feedback
from remediator.graph.nodes.verify_recovery import verify_recovery
from remediator.graph.state import IncidentState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph

    from remediator.domain.ports import Clock, Forge, LogSource, Planner, Verifier
    from remediator.graph.investigation import Investigator


@dataclass(frozen=True)
class Ports:
    """All ports of the nodes; each node names those that it takes."""

    logs: LogSource
    planner: Planner
    forge: Forge
    now: Clock
    verifiers: Sequence[Verifier] = ()
    investigator: Investigator | None = None
    """None: no model is configured."""
    limits: RunLimits = field(default_factory=RunLimits)
    redact: Callable[[str], str] = str
    """Removes secrets from the answers of servers."""


def build(ports: Ports, saver: BaseCheckpointSaver[str] | None = None) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Return the compiled graph: nodes bound to their ports, edges by the routing functions."""
    logs, planner, forge, limits = ports.logs, ports.planner, ports.forge, ports.limits
    graph = StateGraph(IncidentState)
    graph.add_node("collect_logs", partial(collect_logs, logs=logs))
    graph.add_node("classify_error", partial(classify_error, logs=logs, planner=planner))
    graph.add_node(
        "analyze_root_cause",
        partial(analyze_root_cause, planner=planner, logs=logs, limits=limits, investigator=ports.investigator),
    )
    graph.add_node(
        "generate_action",
        partial(generate_action, planner=planner, forge=forge, limits=limits, now=ports.now, verifiers=ports.verifiers),
    )
    graph.add_node("commit_changes", partial(commit_changes, forge=forge, planner=planner, now=ports.now))
    graph.add_node("get_user_feedback", get_user_feedback)
    graph.add_node(
        "verify_recovery",
        partial(
            verify_recovery,
            verifiers=ports.verifiers,
            limits=limits,
            now=ports.now,
            redact=ports.redact,
            fate=MergedChange(forge, RecentBases(forge, ports.now)).of,
        ),
    )
    graph.add_node("final_feedback", final_feedback)

    graph.add_edge(START, "collect_logs")
    graph.add_edge("collect_logs", "classify_error")
    graph.add_conditional_edges(
        "classify_error",
        routing.after_classify,
        ["analyze_root_cause", "final_feedback"],
    )
    graph.add_conditional_edges("analyze_root_cause", routing.after_analyze, ["generate_action", "final_feedback"])
    graph.add_conditional_edges(
        "generate_action", routing.after_generate, ["commit_changes", "get_user_feedback", "final_feedback"]
    )
    graph.add_conditional_edges(
        "commit_changes", routing.after_commit, ["get_user_feedback", "verify_recovery", "final_feedback"]
    )
    graph.add_conditional_edges(
        "get_user_feedback",
        routing.after_feedback,
        ["verify_recovery", "generate_action", "get_user_feedback", "final_feedback"],
    )
    graph.add_conditional_edges(
        "verify_recovery",
        routing.after_verify,
        ["final_feedback", "analyze_root_cause", "generate_action", "get_user_feedback"],
    )
    graph.add_edge("final_feedback", END)
    return graph.compile(checkpointer=saver, name="remediator")


def mermaid() -> str:
    """Return the graph as a Mermaid flowchart, drawn from the graph itself so that the documentation stays true."""
    unplugged: Any = None
    ports = Ports(logs=unplugged, planner=unplugged, forge=unplugged, now=unplugged)
    return build(ports).get_graph().draw_mermaid(with_styles=False)
