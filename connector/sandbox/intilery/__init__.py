"""Intilery as its documents describe it, without the HTTP around it.

| module | holds |
|---|---|
| platform | which path is what, who may ask, how often, how much |
| reading | GET events, profiles, and one profile's traits, meta and events |
| writing | POST identify, track, page, screen, batch, and the commands among the tracked |
| regulations | the privacy requests of 2021, documented for 17 days |
| second | events.intilery.com: Segment's messages, marketing preferences |
| account, feed, profiles, events | what an account holds |

Documents: Events API, Profiles API, Tracking API, and the history of the site that they are made from. Where they leave
something open, a switch decides.
"""

from connector.sandbox.intilery.account import Account
from connector.sandbox.intilery.platform import Intilery

__all__ = ["Account", "Intilery"]
