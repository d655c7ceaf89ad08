"""Recipes: from a YAML file to what an event makes of it. Pure: no network, clock or database.

Reading: `load` (a folder), `parse` (a file), `schema` (its shape), `condition` and `compare` (`if`), `path`, `lookups`,
`steps` with `targets` and `needs` (`actions`), `connections` (of both), `cases` (`tests`), `findings` (mistakes and
their places); the result is `recipe.Recipe`. Running: `index` (which recipes an event wakes), `scope` (what they see
of it), `evaluate` (the outcome), `memory` (limits), `render` (deliveries), `trace` (why).
"""
