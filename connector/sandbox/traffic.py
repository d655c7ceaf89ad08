"""Believable live traffic: customers on their journeys, the same at each start with the same seed.

A deck holds every kind of journey in the shop's proportions and is dealt without putting back, so each kind turns up
early; a few journeys run at a time, so that their events mix as real ones do. Event ids also depend on the moment of
the start: another run must not look like events that were seen before.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeAlias

from connector.sandbox.catalog import CAMPAIGNS, CHANNELS, PRODUCTS, SHOP, WELCOME, Person, Product, person

CUSTOMERS: Final = 400
_AT_A_TIME: Final = 5
_BROWSER: Final = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_4) AppleWebKit/605.1.15"


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a website or a mail system makes to the platform.

    raw: its body, without a timestamp. source: what the feed says sent it. delay: milliseconds from eventTime to
    receivedTime. past: an import of history, so many milliseconds old. odd: how the entry departs from the rule.
    """

    id: str
    raw: dict[str, Any]
    source: str
    delay: int
    past: int = 0
    odd: str = ""


Step: TypeAlias = dict[str, Any]
Journey: TypeAlias = Callable[[Person, Random], Iterator[Step]]


class Traffic:
    """An endless supply of calls. seed: which traffic; start: milliseconds, so that each run has ids of its own."""

    def __init__(self, seed: str, start: int) -> None:
        self._dice = Random(seed)  # noqa: S311  traffic must be repeatable, not secret
        self._ids = Random(f"{seed} {start}")  # noqa: S311  likewise
        self._deck: list[Journey] = []
        self._running: list[Iterator[Step]] = []
        self._registered = CUSTOMERS

    def next(self) -> Call:
        """The next call of one of the journeys that are under way."""
        while True:
            while len(self._running) < _AT_A_TIME:
                self._running.append(self._begin())
            journey = self._dice.choice(self._running)
            step = next(journey, None)
            if step is not None:
                return self._call(step)
            self._running.remove(journey)

    def _begin(self) -> Iterator[Step]:
        if not self._deck:
            self._deck = list(_DECK)
            self._dice.shuffle(self._deck)
        journey = self._deck.pop()
        number = self._dice.randrange(CUSTOMERS)
        if journey is _sign_up:
            number = self._registered
            self._registered += 1
        return journey(person(number), self._dice)

    def _call(self, step: Step) -> Call:
        source = "SEGMENT_API" if "sendType" in step else "SEGMENT_JS"
        delay = self._dice.randrange(300, 2_400)
        chance = self._dice.random()
        past = self._dice.randrange(10**10, 4 * 10**11) if chance < 0.005 else 0
        odd = next((name for name, below in _ODDITIES if chance < below), "")
        event_id = str(uuid.UUID(int=self._ids.getrandbits(128), version=4))
        return Call(event_id, step, source, delay, past, odd)


# Departures seen in the documents' own examples and screenshots, each by the chance below which it happens.
_ODDITIES: Final = (("user_id", 0.03), ("shuffled", 0.06), ("extra", 0.09), ("no_user", 0.10))


# ── journeys ──────────────────────────────────────────────────────────────────────────────────


def _by(who: Person, event: str, properties: dict[str, Any], **more: Any) -> Step:
    """What an identified customer does."""
    traits = {"email": who.email, "firstName": who.first_name, "lastName": who.last_name}
    traits["intemptProfileId"] = who.intempt_profile_id
    context = {"ip": who.ip, "userAgent": _BROWSER, "traits": traits}
    return {
        "userId": who.user_id,
        "anonymousId": who.anonymous_id,
        "event": event,
        "properties": properties,
        "context": context,
        **more,
    }


def _known_by_mail(who: Person) -> dict[str, str]:
    return {"email": who.email, "firstName": who.first_name, "intemptProfileId": who.intempt_profile_id}


def _page(who: Person, path: str, title: str) -> Step:
    """A page seen by somebody who has not said who they are."""
    about = {"path": path, "referrer": "", "search": "", "title": f"{title} | The Larder", "url": SHOP + path}
    context = {"ip": who.ip, "userAgent": _BROWSER, "page": about}
    return {"anonymousId": who.anonymous_id, "event": "page", "context": context, "properties": about}


def _identify(who: Person) -> Step:
    return {
        "userId": who.user_id,
        "anonymousId": who.anonymous_id,
        "event": "identify",
        "traits": who.traits(),
        "context": {"ip": who.ip, "userAgent": _BROWSER},
    }


def _shop(who: Person, dice: Random) -> Iterator[Step]:
    yield _page(who, "/", "Home")
    if dice.random() < 0.5:
        yield _page(who, "/offers", "Offers")
    yield _identify(who)
    yield _by(who, "Logged In", {"method": dice.choice(("email", "google", "apple"))})
    cart, lines = f"cart-{dice.randrange(10**6):06d}", []
    for product in dice.sample(PRODUCTS, dice.randrange(1, 4)):
        line = product.properties() | {"quantity": str(dice.randrange(1, 4)), "cart_id": cart}
        yield _by(who, "Product Viewed", product.properties())
        yield _by(who, "Product Added", line)
        lines.append((product, line["quantity"]))
    if len(lines) > 1 and dice.random() < 0.3:
        product, quantity = lines.pop()
        yield _by(who, "Product Removed", product.properties() | {"quantity": quantity, "cart_id": cart})
    if dice.random() < 0.7:
        yield from _check_out(who, dice, cart, lines)


def _check_out(who: Person, dice: Random, cart: str, lines: list[tuple[Product, str]]) -> Iterator[Step]:
    basket = {
        "cart_id": cart,
        "total": round(sum(float(product.price) * int(quantity) for product, quantity in lines), 2),
        "currency": "GBP",
        "products": [
            {"product_id": p.id, "name": p.name, "category": p.category, "price": p.price, "quantity": quantity}
            for p, quantity in lines
        ],
    }
    yield _by(who, "Checkout Started", basket)
    if dice.random() < 0.2:
        failed = {key: basket[key] for key in ("cart_id", "total", "currency")}
        reason = dice.choice(("card_declined", "insufficient_funds", "expired_card"))
        yield _by(who, "Payment Failed", failed | {"reason": reason})
    order = {
        "order_id": f"O-{dice.randrange(10**7):07d}",
        "coupon": dice.choice((None, "PICNIC10")),
        "shipping": "4.95",
    }
    yield _by(who, "Order Completed", basket | order)
    if dice.random() < 0.15:
        refund = {"order_id": order["order_id"], "total": basket["total"], "currency": "GBP"}
        yield _by(who, "Order Refunded", refund | {"reason": dice.choice(("damaged", "late", "not_as_described"))})


def _mail(who: Person, dice: Random, campaign: str, subject: str, keenness: float) -> Iterator[Step]:
    about = {"email_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)), "email_subject": subject}
    about["campaign_id"] = campaign
    opened = {"ip": who.ip, "user_agent": _BROWSER, "traits": _known_by_mail(who)}

    def step(name: str, **properties: str) -> Step:
        sent = _by(who, name, about | properties, sendType="email")
        return sent | {"context": opened}

    yield step("Email Sent")
    fate = dice.random()
    if fate < 0.05:
        yield step("Email Not Sent", reason="suppressed")
    elif fate < 0.12:
        yield step("Email Bounced", bounce_type=dice.choice(("hard", "soft")), reason="550 mailbox unavailable")
    else:
        yield step("Email Delivered")
        if dice.random() < keenness:
            yield step("Email Opened")
            if dice.random() < keenness:
                yield step("Email Link Clicked", link_url=f"{SHOP}/c/{campaign.lower()}")
        elif dice.random() < 0.3:
            yield step(dice.choice(("Email Unsubscribed", "Email Unsubscribed", "Email Marked as Spam")))


def _email(who: Person, dice: Random) -> Iterator[Step]:
    campaign = dice.choice(sorted(CAMPAIGNS))
    yield from _mail(who, dice, campaign, CAMPAIGNS[campaign], 0.6)


def _sms(who: Person, dice: Random) -> Iterator[Step]:
    about = {"sms_id": f"sms-{dice.randrange(10**8):08d}", "campaign_id": "BASKET_REMINDER"}
    yield _by(who, "SMS Sent", about, sendType="sms")
    if dice.random() < 0.85:
        yield _by(who, "SMS Delivered", about, sendType="sms")
    else:
        yield _by(who, "SMS Not Sent", about | {"reason": "unreachable"}, sendType="sms")


def _sign_up(who: Person, dice: Random) -> Iterator[Step]:
    yield _page(who, "/membership", "Membership")
    yield _identify(who)
    yield _by(who, "Registered", {"method": dice.choice(("email", "google", "apple"))})
    yield _by(who, "Trial Started", {"plan": dice.choice(("plus", "family")), "days": 14, "campaign_id": WELCOME[0]})
    yield from _mail(who, dice, *WELCOME, 0.95)


def _ask_for_demo(who: Person, dice: Random) -> Iterator[Step]:
    yield _page(who, "/for-offices", "For offices")
    yield _identify(who)
    about = {
        "company": f"{who.last_name} & {dice.choice(('Sons', 'Partners', 'Company'))}",
        "employees": dice.choice((8, 35, 120, 600)),
        "message": dice.choice(("We feed a team every Friday.", "Do you invoice monthly?", "Can we see the hampers?")),
    }
    yield _by(who, "Demo Requested", about)


def _speak_up(who: Person, dice: Random) -> Iterator[Step]:
    product, rating = dice.choice(PRODUCTS), dice.choice((1, 2, 4, 5, 5))
    text = "Not what I had hoped for." if rating < 3 else "Will order again."
    yield _by(who, "Logged In", {"method": "email"})
    yield _by(who, "Review Submitted", {"product_id": product.id, "name": product.name, "rating": rating, "text": text})
    if rating < 3:
        about = {"plan": "plus", "monthly_value": 7.5, "currency": "GBP", "reason": dice.choice(("price", "quality"))}
        yield _by(who, "Subscription Cancelled", about)


def _change_preferences(who: Person, dice: Random) -> Iterator[Step]:
    changed = dice.choice(CHANNELS)
    channels = [
        one | {"subscribed": not one["subscribed"]} if one["channel"] == changed else one for one in who.channels()
    ]
    yield _by(who, "Preferences Updated", {"channels": channels, "changed": changed})


def _ask_for_privacy(who: Person, dice: Random) -> Iterator[Step]:
    yield _by(who, "Logged In", {"method": "email"})
    about = {
        "requestType": dice.choice(("erasure", "access", "stop_tracking", "object")),
        "reference": f"PR-{dice.randrange(10**6):06d}",
        "channel": "web form",
        "note": "",
    }
    yield _by(who, "Privacy Request Submitted", about)


_DECK: Final[tuple[Journey, ...]] = (
    *(_shop,) * 4,
    *(_email,) * 3,
    _sms,
    _sign_up,
    _ask_for_demo,
    _speak_up,
    _change_preferences,
    _ask_for_privacy,
)
