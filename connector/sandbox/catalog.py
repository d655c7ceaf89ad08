"""Who and what the live traffic is made of: an invented British shop that sells food online and a trial membership.

Everything an example recipe is written on stands in this table. Prices and quantities are text, as the Tracking API
page prints them; totals are numbers. `traits` stand in `context.traits` of everything an identified customer does.

| event | rawData besides `event`, `timestamp`, `userId` and `anonymousId` |
|---|---|
| identify | traits: firstName lastName email phone city postcode plan createdAt intemptProfileId marketingPreferences |
| page | properties: path referrer search title url |
| Registered | properties: method (email, google, apple) |
| Logged In | properties: method |
| Product Viewed | properties: name product_id category price currency url image_url |
| Product Added, Product Removed | as viewed, and quantity cart_id |
| Checkout Started | properties: cart_id total currency products[product_id name category price quantity] |
| Payment Failed | properties: cart_id total currency reason (card_declined, insufficient_funds, expired_card) |
| Order Completed | as checkout, and order_id coupon (text or null) shipping |
| Order Refunded | properties: order_id total currency reason |
| Review Submitted | properties: product_id name rating (1 to 5) text |
| Trial Started | properties: plan days campaign_id |
| Subscription Cancelled | properties: plan monthly_value currency reason |
| Demo Requested | properties: company employees message |
| Email Sent, Email Delivered | sendType email, properties: email_id email_subject campaign_id |
| Email Opened | as sent; context: ip user_agent |
| Email Link Clicked | as opened, and properties.link_url |
| Email Bounced, Email Not Sent | as sent, and properties: bounce_type (hard, soft), reason |
| Email Unsubscribed, Email Marked as Spam | as sent |
| SMS Sent, SMS Delivered, SMS Not Sent | sendType sms, properties: sms_id campaign_id, and reason where not sent |
| Preferences Updated | properties: channels[channel, subscribed] changed (a channel's name) |
| Privacy Request Submitted | properties: requestType (erasure, access, stop_tracking, object) reference channel note |

`marketingPreferences` is `{channels: [{channel, subscribed}]}`; `intemptProfileId` is who they are to Intempt, as text.

Campaigns: TRIAL_WELCOME TRIAL_TIPS TRIAL_ENDING NEWSLETTER_WEEKLY BASKET_REMINDER WINBACK_90 SUMMER_OFFER.
"""

import re
from dataclasses import dataclass
from random import Random
from typing import Any, Final

EVENT_NAMES: Final = (
    "identify",
    "page",
    "Registered",
    "Logged In",
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Checkout Started",
    "Payment Failed",
    "Order Completed",
    "Order Refunded",
    "Review Submitted",
    "Trial Started",
    "Subscription Cancelled",
    "Demo Requested",
    "Email Sent",
    "Email Delivered",
    "Email Opened",
    "Email Link Clicked",
    "Email Bounced",
    "Email Not Sent",
    "Email Unsubscribed",
    "Email Marked as Spam",
    "SMS Sent",
    "SMS Delivered",
    "SMS Not Sent",
    "Preferences Updated",
    "Privacy Request Submitted",
)

SHOP: Final = "https://www.larder.example"
PLANS: Final = ("free", "plus", "family")
CHANNELS: Final = ("email", "sms", "whatsapp", "facebook", "push")

_FIRST_NAMES: Final = (  # noqa: SIM905  a list of names reads best as text
    "Olivia Amelia Isla Ava Freya Grace Florence Poppy Evie Alice Niamh Cerys Priya Aisha Zainab Ngozi Mei Sofia "
    "Oliver George Arthur Noah Harry Leo Jack Finlay Rhys Callum Dylan Tariq Imran Arjun Kwame Tomasz Mateo Owen"
).split()
_LAST_NAMES: Final = (  # noqa: SIM905  likewise
    "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Wright Walker Thompson Evans Hughes Khan Green "
    "Murphy Campbell Stewart MacDonald Begum Okafor Nowak O'Brien Fraser Llewellyn Ahmed Clarke Bennett Shah"
).split()
_PLACES: Final = (
    ("London", "E8 3PN"),
    ("Manchester", "M4 1HQ"),
    ("Leeds", "LS2 7HY"),
    ("Bristol", "BS1 4DJ"),
    ("Glasgow", "G12 8QQ"),
    ("Edinburgh", "EH3 9DR"),
    ("Cardiff", "CF10 1EP"),
    ("Belfast", "BT1 5GS"),
    ("Norwich", "NR2 1TF"),
    ("Brighton", "BN1 1UB"),
)

CAMPAIGNS: Final = {
    "NEWSLETTER_WEEKLY": "What is in season this week",
    "BASKET_REMINDER": "You left something in your basket",
    "WINBACK_90": "We have missed you",
    "SUMMER_OFFER": "Ten per cent off everything for a picnic",
    "TRIAL_TIPS": "Three things to try in your first week",
    "TRIAL_ENDING": "Your trial ends in three days",
}
WELCOME: Final = ("TRIAL_WELCOME", "Thanks for starting your trial")

_FIRST: Final = 100_000  # the number in the first customer's userId
_USER_ID: Final = re.compile(r"LRD-(1\d{5})")

# name, category, price
_PRODUCTS: Final = (
    ("Montgomery's Cheddar 300g", "Cheese", "9.75"),
    ("Baron Bigod 250g", "Cheese", "8.50"),
    ("Whole Stilton 2kg", "Cheese", "64.00"),
    ("Sourdough Loaf", "Bakery", "4.60"),
    ("Eccles Cakes, box of 6", "Bakery", "7.20"),
    ("Smoked Salmon 400g", "Fish", "18.95"),
    ("Dressed Crab", "Fish", "11.99"),
    ("Rib of Beef 3kg", "Meat", "89.50"),
    ("Free-range Goose", "Meat", "118.00"),
    ("Lincolnshire Sausages", "Meat", "6.40"),
    ("Kentish Apple Juice 75cl", "Drinks", "4.95"),
    ("Sussex Sparkling Wine", "Drinks", "34.00"),
    ("Islay Malt 16 years", "Drinks", "84.00"),
    ("Yorkshire Tea 240 bags", "Drinks", "8.25"),
    ("Picnic Hamper for Four", "Hampers", "145.00"),
    ("Christmas Hamper", "Hampers", "260.00"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A customer, or somebody on the way to be one."""

    user_id: str
    anonymous_id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    city: str
    postcode: str
    plan: str
    created: str
    subscribed: tuple[bool, ...]
    ip: str
    intempt_profile_id: str

    def traits(self) -> dict[str, Any]:
        """What `identify` says of them, in the shape of the Tracking API page's example."""
        return {
            "firstName": self.first_name,
            "lastName": self.last_name,
            "email": self.email,
            "phone": self.phone,
            "city": self.city,
            "postcode": self.postcode,
            "plan": self.plan,
            "createdAt": self.created,
            "intemptProfileId": self.intempt_profile_id,
            "marketingPreferences": {"channels": self.channels()},
        }

    def channels(self) -> list[dict[str, Any]]:
        """Which channels they want to be written to on."""
        return [{"channel": name, "subscribed": wanted} for name, wanted in zip(CHANNELS, self.subscribed, strict=True)]


@dataclass(frozen=True, slots=True)
class Product:
    """Something to buy; `price` is text."""

    id: str
    name: str
    category: str
    price: str

    def properties(self) -> dict[str, Any]:
        """What `Product Viewed` says of it."""
        return {
            "name": self.name,
            "product_id": self.id,
            "category": self.category,
            "price": self.price,
            "currency": "GBP",
            "url": f"{SHOP}/products/{self.id}",
            "image_url": f"{SHOP}/images/{self.id}.jpg",
        }


PRODUCTS: Final = tuple(Product(f"p-{48210 + 7 * n}", *about) for n, about in enumerate(_PRODUCTS))


def person(number: int) -> Person:
    """The customer of this number: always the same one."""
    dice = Random(number)  # noqa: S311  a population must be repeatable, not secret
    first, last = dice.choice(_FIRST_NAMES), dice.choice(_LAST_NAMES)
    city, postcode = dice.choice(_PLACES)
    letters = "".join(letter for letter in f"{first}.{last}".lower() if letter.isalpha() or letter == ".")
    return Person(
        user_id=f"LRD-{_FIRST + number}",
        anonymous_id=f"{dice.getrandbits(128):032x}",
        first_name=first,
        last_name=last,
        email=f"{letters}{number}@example.com",
        phone=f"+447700900{dice.randrange(1000):03d}",  # the range that is kept free for fiction
        city=city,
        postcode=postcode,
        plan=dice.choice(PLANS),
        created=f"20{dice.randrange(19, 26)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}T09:30:00.000Z",
        subscribed=(dice.random() < 0.8, dice.random() < 0.5, dice.random() < 0.2, False, dice.random() < 0.3),
        ip=f"203.0.113.{dice.randrange(1, 255)}",
        intempt_profile_id=str(182_233_618_000_000_000 + 7_919 * number),  # past 2**53, as Intempt's are
    )


def known_person(user_id: str | None) -> Person | None:
    """The customer with this userId, None for who is none of the traffic's."""
    match = _USER_ID.fullmatch(user_id or "")
    return person(int(match[1]) - _FIRST) if match else None
