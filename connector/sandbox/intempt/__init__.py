"""Intempt as its documents describe it, all generations of it, without the HTTP around it.

| module | holds |
|---|---|
| platform | which path is what, who may ask, and how often |
| data | collections' items, a source's data, CSV files |
| reads | events/matches and segmentations |
| ingestion | track and consents |
| decisions | choose-api and recommendation feeds |
| management | sources, collections, identifiers, purposes of consent |
| organization, collections, people, matching | what an organisation holds, and what comes of what comes in |
| attributes, filters, schema, ids | merge strategies, sums of products, Avro, snowflakes |
| beginnings | what every organisation begins with |
| orders | the control routes |

Documents: the first generation's (2021, and of 2019 for what is set up through it), the SDKs' contracts and the public
pages of 2026 for the second. First-generation paths know no project, so all projects of an organisation are one here.
"""

from connector.sandbox.intempt.organization import Organization
from connector.sandbox.intempt.platform import Intempt

__all__ = ["Intempt", "Organization"]
