"""What the platforms' documents leave open, contradict, or only hint at: a switch each.

FEED is what Intilery's feed and its oldest calls leave open, CUSTOMERS the rest of Intilery, INTEMPT that platform.
"""

from typing import Final

from connector.sandbox.switch import DURATION, Switch

FEED: Final = (
    Switch(
        "from", ("hits", "pages"), "`from` skips so many hits (Profiles API), or is a page number (older Events API)"
    ),
    Switch("time_field", ("eventTime", "receivedTime"), "the time that start, end and sort go by"),
    Switch(
        "edges",
        ("inclusive", "exclusive", "half_open"),
        "whether start and end themselves are in (half_open: start only)",
    ),
    Switch(
        "ties",
        ("stable", "arrival", "random"),
        "order among equal times: as received and reversed by desc; as received in both directions (a search engine's "
        "way: then both ends of one millisecond show the same events); or another at each request",
    ),
    Switch("beyond", ("400", "empty"), "the answer once from + size passes 10,000"),
    Switch("size_default", ("100", "10"), "events in an answer when the request gives no size"),
    Switch("include", ("one", "list"), "`include` is one event action (now), or a comma list (older documents)"),
    Switch(
        "datetime",
        ("full", "date", "refused"),
        "start and end: read to the millisecond; cut to their day; refused unless dates",
    ),
    Switch("data_on_empty", ("list", "null", "missing"), "`data` when nothing was found"),
    Switch("scroll_id", ("absent", "present"), "whether the answer also has the `scrollId` of an older version"),
    Switch(
        "slash",
        ("200", "301", "404"),
        "the answer to the path with a slash at its end: the prose has one, the examples none",
    ),
    Switch(
        "lag",
        ("0", DURATION),
        "how long after its receivedTime an event may stay invisible: each its own share of it, so out of order",
    ),
    Switch("retention", ("unlimited", DURATION), "how long after its receivedTime the feed still shows an event"),
    Switch("skew", ("0", DURATION), "how far the platform's clock is from this machine's (negative: behind)"),
    Switch(
        "new_type",
        ("recorded", "dropped"),
        "an event of a type that nobody marked as valid yet: recorded; or accepted (`success: true`) and never shown",
    ),
    Switch(
        "auth_status",
        ("documented", "401", "403"),
        "status for a bad token; documented: 401 when reading, 403 when writing",
    ),
    Switch(
        "envelope",
        ("documented", "error", "success", "gateway", "html"),
        'shape of errors: `{"error":{…}}` when reading, `{"success":false,…}` when writing; or always one of them; or '
        "what stands in front of the platform: its `message`, or a page of HTML",
    ),
    Switch(
        "body_limit",
        ("1mb", "6mb"),
        "the size of a request that gets 413: 1 MB everywhere, 6 MB in the table of errors",
    ),
    Switch(
        "rate_limit",
        ("on", "off"),
        "the token bucket of 100 requests a second and a burst of 500; off for measuring speed",
    ),
)

CUSTOMERS: Final = (
    Switch(
        "profile_lag",
        ("0", DURATION),
        "how long after a call was answered its customer still reads as before it (500ms)",
    ),
    Switch("scroll_name", ("scrollId", "scrollid"), "the parameter that goes on in the list of profiles"),
    Switch(
        "scroll_repeat",
        ("same", "next"),
        "the same scrollId asked again: the same profiles again; or the next ones, as if the first answer had arrived",
    ),
    Switch("scroll_timeout", ("1m", DURATION), "how long a scrollId is good for"),
    Switch("profile_list", ("traits", "meta"), "what the list shows of each profile"),
    Switch("meta_path", ("meta", "metadata"), "the last part of the path to a profile's metadata"),
    Switch("email_unknown", ("404", "empty"), "the answer for an e-mail address that nobody has"),
    Switch("encoded_slash", ("decoded", "404"), "`%2F` in a path: part of the id; or nothing is found"),
    Switch(
        "batch_token",
        ("required", "optional"),
        "whether a batch needs an auth-token; optional lets Segment's Python client in, which cannot send one",
    ),
    Switch(
        "batch_mistake", ("refused", "skipped"), "a batch with a bad call in it: refused; or taken without that call"
    ),
    Switch("item_limit", ("413", "400"), "the status of a batch with a call over 32 KB"),
    Switch(
        "command_names",
        ("any", "lower", "upper"),
        "the spelling of commands: the table has send_sms, the examples SEND_SMS; another one is an ordinary event",
    ),
    Switch("regulations", ("404", "historical"), "the regulations API: gone; or as it was documented in 2021"),
    Switch("regulation_pace", ("2d", DURATION), "how long a regulation stays in each state before it ends"),
    Switch(
        "regulation_delete", ("any", "suppressed"), "whose data can be deleted: anybody's; or only a suppressed user's"
    ),
    Switch("regulation_end", ("finished", "failed"), "how regulations end"),
)

INTEMPT: Final = (
    Switch(
        "intempt_auth",
        ("any", "generation", "basic", "apikey", "query"),
        "the form of the key that is taken; generation: ApiKey below an organisation, Basic below a project",
    ),
    Switch("intempt_rate", ("50", "5", "off"), "requests a second for each key, and twice as many at once"),
    Switch(
        "intempt_reads",
        ("both", "organization", "project", "404", "410"),
        "where events/matches and segmentations/latest still answer, or what they answer today",
    ),
    Switch("intempt_unknown", ("404", "empty"), "matches and segmentations of an id that nobody has"),
    Switch("intempt_merged", ("survivor", "404"), "a master id that was merged into another: that one; or unknown"),
    Switch(
        "intempt_ids",
        ("documented", "text", "number"),
        "ids of people in answers; documented: numbers in matches' profileIds, text elsewhere",
    ),
    Switch(
        "intempt_links",
        ("documented", "http", "https"),
        "the scheme of `_links`; documented: http in matches, https elsewhere",
    ),
    Switch("intempt_window", ("unlimited", DURATION), "how long after its last match an event stays in matchedEvents"),
    Switch("intempt_updated", ("moves", "stays"), "lastUpdated when an event that had matched matches again"),
    Switch("intempt_created", ("empty", "item"), "the body of a 201 for data items: none; or what was stored (2019)"),
    Switch("intempt_empty", ("list", "missing"), "`_embedded` of an empty list"),
    Switch("intempt_pages", ("whole", "next"), "a collection's data: all at once; or 100 at a time with `_links.next`"),
    Switch(
        "intempt_track", ("201", "object", "echo"), "a track's answer: 201 and empty; or 200 with {} or what was sent"
    ),
    Switch("intempt_sources", ("any", "known"), "tracking to a source that nobody created: taken; or 404"),
    Switch("intempt_entries", ("unlimited", "50"), "how many entries one track request may have"),
    Switch("intempt_profile", ("optional", "required"), "whether a tracked entry must have a profileId"),
    Switch("intempt_consent_time", ("seconds", "milliseconds"), "what a consent's timestamp counts"),
    Switch("intempt_event_id", ("stored", "once"), "an eventId that was tracked before: stored again; or only once"),
    Switch(
        "intempt_new_event",
        ("201", "400"),
        "the first track of an event that has no collection yet: taken; or refused once, the same bytes taken later",
    ),
)
