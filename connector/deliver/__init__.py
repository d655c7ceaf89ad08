"""Deliver: outbox → request → attempt. The only way out.

Each destination has a lane of its own, so that none waits for another. What is due is claimed in memory, sent with the
same id, method, path and body each time, judged by the action's kind, and recorded in groups: one transaction holds
every answer that came while the one before was being written. Runs that wait for lookups are carried on beside them:
asked, judged, and turned into deliveries.
"""

from connector.deliver.courier import Courier
from connector.deliver.lookups import Lookups

__all__ = ["Courier", "Lookups"]
