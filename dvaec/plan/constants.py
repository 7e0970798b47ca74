"""Features that are the same at every frame: f_t of a label alone.

Outside 1..T they are no other, so that f_{t+1} is f_t: nothing waits for a frame to come.
"""

from __future__ import annotations

from dataclasses import replace

from dvaec.plan.nodes import FeatureNode, HeadNode, Network, Node, Port, Read, StateNode, framed


def at_their_own_frame(network: Network) -> Network:
    """Read features that are constant over time at the reader's own frame, wherever they are read."""
    same: set[str] = set()
    for _ in network.nodes:
        same |= {node.name for node in network.nodes if _constant(network, node, same)}

    def here(read: Read) -> Read:
        return Read(read.node, 0) if read.node in same and read.offset is not None else read

    def moved(port: Port) -> Port:
        return port if port.window is not None else replace(port, reads=tuple(map(here, port.reads)))

    def reading(node: Node) -> Node:
        if not isinstance(node, FeatureNode | StateNode | HeadNode) or not framed(node):
            return node
        return replace(node, ports=tuple(map(moved, node.ports)))

    return Network(tuple(map(reading, network.nodes))) if same else network


def _constant(network: Network, node: Node, same: set[str]) -> bool:
    """Whether a node is a feature of values of the sequence, and of such features."""
    if not isinstance(node, FeatureNode) or any(port.window is not None for port in node.ports):
        return False
    reads = (read.node for port in node.ports for read in port.reads)
    return all(name in same or not framed(network.node(name)) for name in reads)
