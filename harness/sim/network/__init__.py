"""A network in memory: what loopback addresses lead to inside a world.

`link` is the wire of one execution: who listens where, and when what was sent arrives, on the virtual clock.
`sim_socket` gives it the face of ``socket.socket``, blocking or not, and `selector` that of a selector, so that
asyncio's own transports, streams and servers run above it unchanged. `polling` answers ``select`` and ``poll``.
`resolving` knows loopback names; any other address ends the execution as uncontrolled, with the line.
"""

from __future__ import annotations

from harness.sim.network.link import Link, shape_network
from harness.sim.network.patches import network_patches
from harness.sim.network.selector import Selector

__all__ = ["Link", "Selector", "network_patches", "shape_network"]
