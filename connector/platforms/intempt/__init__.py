"""Intempt's endpoints, of all its generations.

| module | holds |
|---|---|
| project | requests below an organization or project, each with its own authentication; refusals and verdicts |
| people | the service root; events/matches and segmentations of one profile or user (first generation) |
| collections | data items, one by one, as a source's data, and as CSV files (first generation) |
| tracking | track and consents (second generation) |
| decisions | choose-api, choose-web and recommendation feeds (second generation) |
"""
