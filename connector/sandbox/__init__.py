"""The platforms, emulated over real HTTP on one loopback port, and a receiver that plays webhooks and Slack.

For people without credentials, for recipe authors, and for our tests. It shares no code with the product but its
errors, so that it cannot share a parser's mistake either.

    async with Sandbox(traffic="2/1s", switches={"from": "pages"}) as sandbox:
        ...  # sandbox.url, sandbox.account("acme/acme/ACME").inject([...]), sandbox.receiver("crm").behave(status=500)
        ...  # sandbox.organization("acme").person([182233618000007919], matches=["Order Completed"])

- `intilery`, `intempt`: the platforms. `receiver`: webhook and Slack destinations. `server`: HTTP around all of them.
- `unknowns`: a switch for each unknown of the wire; the table says what each emulates.
- `catalog`: the events of the live traffic, by name, with their properties: what recipes can be written on.
- `control`: the routes under `/sandbox/` that do over HTTP what the methods do in the same process.
"""

from connector.sandbox.server import Sandbox, run, serve

__all__ = ["Sandbox", "run", "serve"]
