"""Every endpoint that the platforms' documents, SDKs and sites name, written down by hand.

Left out are the withdrawn, the unusable, those of other products, and the management that only the documents of 2019
and the client of 2023 have.
"""

DOCUMENTED = {
    "intilery": (
        ("GET", "/v1/events"),
        ("GET", "/v1/profiles"),
        ("GET", "/v1/profiles/{idType}:{id}/traits"),
        ("GET", "/v1/profiles/{idType}:{id}/meta"),
        ("GET", "/v1/profiles/{idType}:{id}/metadata"),
        ("GET", "/v1/profiles/{idType}:{id}/events"),
        ("POST", "/v1/identify"),
        ("POST", "/v1/track"),
        ("POST", "/v1/page"),
        ("POST", "/v1/screen"),
        ("POST", "/v1/batch"),
        ("POST", "/v1/regulations"),
        ("GET", "/v1/regulations"),
        ("GET", "/v1/regulations/{id}"),
        ("DELETE", "/v1/regulations/{id}"),
        ("POST", "/cdp/events/segment/t"),
        ("POST", "/cdp/events/segment/mobile/batch"),
        ("GET", "/cdp/marketing-preferences/{subscriptionId}"),
        ("POST", "/cdp/marketing-preferences/{subscriptionId}"),
    ),
    "intempt": (
        ("GET", "/"),
        ("GET", "/v1/{org}/events/matches"),
        ("GET", "/v1/{org}/segmentations/latest"),
        ("GET", "/v1/{org}/segmentations"),
        ("GET", "/v1/{org}/segmentations/{id}"),
        ("GET", "/v1/{org}/collections/{collection}/data"),
        ("GET", "/v1/{org}/collections/{collection}/data/{id}"),
        ("DELETE", "/v1/{org}/collections/{collection}/data/{id}"),
        ("POST", "/v1/{org}/collections/{collection}/data"),
        ("POST", "/v1/{org}/sources/{source}/data"),
        ("POST", "/v1/{org}/projects/{project}/sources/{source}/data?suppressErrors=true"),
        ("POST", "/v1/{org}/projects/{project}/sources/{source}/track"),
        ("POST", "/v1/{org}/projects/{project}/track"),
        ("POST", "/v1/{org}/projects/{project}/consents/data"),
        ("POST", "/v1/{org}/projects/{project}/optimization/choose-api"),
        ("POST", "/v1/{org}/projects/{project}/optimization/choose-web"),
        ("GET", "/v1/{org}/projects/{project}/feeds"),
        ("POST", "/v1/{org}/projects/{project}/feeds/{feed}/data"),
    ),
}
"""Method and path, as the documents write them; of Intilery, but for /cdp, below /track/{client}/{account}/{BRAND}."""

COMMANDS = ("send_email", "send_sms", "send_print", "send_push", "start_journey")
"""The commands of POST /v1/track, by the table of Track Action Commands."""
