"""The settings and their defaults."""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, PrivateAttr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from connector.document import Document
from connector.errors import Mistake
from connector.model import DAY, Json, Rate
from connector.secrets import Secret, Vault, stamp
from connector.settings.section import Section
from connector.settings.values import (
    ARate,
    BaseUrl,
    Database,
    EgressEntry,
    Flag,
    Id,
    LowerId,
    OptionalPath,
    OptionalSecret,
    OptionalText,
    Size,
    Span,
    TimedRate,
    UpperId,
    Whole,
    Wrong,
    is_loopback,
)

RegulationType: TypeAlias = Literal[
    "suppress_and_delete", "delete", "unsuppress", "suppress", "no_track", "track", "access"
]
_OLDEST_RE_READ: Final = 7 * DAY
_SQLITE_FILE: Final = re.compile(r"(sqlite(?:\+\w+)?:///)([^/?:][^?]*)(.*)")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


# ── parts ───────────────────────────────────────────────────────────────────────────────────────


class Connection(_Part):
    """One account on a platform. token: the `auth_token` or `api_key`. rate, burst: shared by all that calls it.

    client_id, account_id, brand_id are Intilery's; organization, project ("" if absent) are Intempt's.
    """

    name: str
    platform: Literal["intilery", "intempt"]
    client_id: LowerId = ""
    account_id: LowerId = ""
    brand_id: UpperId = ""
    organization: Id = ""
    project: Id = ""
    token: InstanceOf[Secret]
    base_url: BaseUrl
    rate: TimedRate
    burst: Annotated[Whole, Field(ge=1)]
    feeds: dict[str, InstanceOf[Section]]
    dialect: InstanceOf[Section]

    @property
    def identity(self) -> str:
        """`intilery:client/account/BRAND` or `intempt:organization/project`: what all state is keyed by."""
        if self.platform == "intilery":
            return f"intilery:{self.client_id}/{self.account_id}/{self.brand_id}"
        return f"intempt:{self.organization}/{self.project}".rstrip("/")


class Egress(_Part):
    """allow: private or loopback networks and hosts that may be called."""

    allow: list[EgressEntry] = []


class Regulations(_Part):
    """What may be done about privacy requests. Every default is the strictest.

    connection, path, body, types and list say how an API is asked: see `connector.actions.regulating`.
    """

    mode: Literal["dry_run", "manual", "api"] = "dry_run"
    cap: ARate = Rate(20, DAY)
    unattended: list[RegulationType] = []
    assume_suppressed: Flag = False
    connection: OptionalText = None
    path: OptionalText = None
    body: InstanceOf[Section] | None = None
    types: dict[RegulationType, str] = {}
    list: InstanceOf[Section] | None = None

    @model_validator(mode="after")
    def _explicit(self) -> "Regulations":
        missing = [key for key in ("connection", "path", "body", "types", "list") if not getattr(self, key)]
        if self.mode == "api" and missing:
            raise Wrong(f"mode api lacks {', '.join(missing)}", "see docs/configuration.md; or write mode: manual")
        if self.mode != "dry_run" and "cap" not in self.model_fields_set:
            raise Wrong(f"mode {self.mode} needs a cap: a file cut short must not lift it", "write cap: 20/1d")
        return self


class Keep(_Part):
    """How long rows are kept, in milliseconds. ids: the dedupe keys of events; deliveries: their ids too.

    Both outlive the events: what ran before must be known for as long as `backfill` can run it again.
    """

    events: Span = 30 * DAY
    ids: Span = 37 * DAY
    deliveries: Span = 30 * DAY
    audit: Span = 1095 * DAY

    @model_validator(mode="after")
    def _outlive_events(self) -> "Keep":
        if self.ids < _OLDEST_RE_READ + DAY:
            raise Wrong("ids must be kept 8d or longer: events are read again when they are 7d old", "write ids: 37d")
        days = -(-self.events // DAY)
        short = {"ids": days + 7} if self.ids < self.events else {}
        short |= {"deliveries": days} if self.deliveries < self.events else {}
        if short:
            wanted = ", ".join(f"{name}: {least}d" for name, least in short.items())
            raise Wrong(f"{' and '.join(short)} must be kept at least as long as events", f"write {wanted}")
        return self


class Privacy(_Part):
    """max_size: bytes of the database, None for no limit. redact: paths of events that are not kept."""

    keep: Keep = Keep()
    max_size: Size = None
    redact: list[str] = []


class Alarms(_Part):
    """to: the destination that hears of trouble. heartbeat: an address that is called while all is well."""

    to: OptionalText = None
    heartbeat: OptionalSecret = None


class Web(_Part):
    """Where the dashboard listens."""

    host: str = "127.0.0.1"
    port: Annotated[Whole, Field(ge=0, le=65_535)] = 8321
    token: OptionalSecret = None

    @model_validator(mode="after")
    def _guarded(self) -> "Web":
        if self.token is None and not is_loopback(self.host):
            raise Wrong("a host that others can reach needs a token", 'write token: "${WEB_TOKEN}"')
        return self


class Watched:
    """A file's content when it was loaded, to be compared with its content now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp, self._digest = stamp(path), self._now()

    def changed(self) -> bool:
        """Whether the content differs."""
        now = stamp(self.path)
        if now == self._stamp:
            return False
        if self._now() != self._digest:
            return True
        self._stamp = now  # only touched
        return False

    def _now(self) -> bytes:
        try:
            return hashlib.sha256(self.path.read_bytes() if self.path.is_file() else b"").digest()
        except OSError:
            return b""


class Settings(BaseSettings):
    """Everything `connector.yaml`, the environment and the command line say. Made by `load`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database: Database = "sqlite:///connector.db"
    recipes: Path = Path("recipes")
    secrets_dir: OptionalPath = None
    connections: dict[str, Connection] = {}
    destinations: dict[str, InstanceOf[Section]] = {}
    egress: Egress = Egress()
    regulations: Regulations = Regulations()
    privacy: Privacy = Privacy()
    alarms: Alarms = Alarms()
    web: Web = Web()

    _document: Document = PrivateAttr()
    _vault: Vault = PrivateAttr()
    _watched: tuple[Watched, ...] = PrivateAttr()
    _warnings: list[Mistake] = PrivateAttr()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  pydantic-settings hands in all five
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands in: its layers know places, secrets and unknown names."""
        return (init_settings,)

    @property
    def file(self) -> Path:
        """The file they were read from."""
        return self._watched[0].path

    @property
    def document(self) -> Document:
        """The file as it was read."""
        return self._document

    @property
    def vault(self) -> Vault:
        """Where the secrets are."""
        return self._vault

    @property
    def warnings(self) -> list[Mistake]:
        """Secrets that are set nowhere, when they were asked for as warnings."""
        return self._warnings

    def bound(
        self, document: Document, vault: Vault, watched: tuple[Watched, ...], warnings: list[Mistake]
    ) -> "Settings":
        """The same with paths relative to the file, and what they were made of. For `load`."""
        folder = watched[0].path.parent
        changes: dict[str, Json] = {"recipes": folder / self.recipes}
        if match := _SQLITE_FILE.fullmatch(self.database):
            changes["database"] = f"{match[1]}{(folder / match[2]).absolute()}{match[3]}"
        if self.secrets_dir:
            changes["secrets_dir"] = folder / self.secrets_dir
        self._document, self._vault, self._watched, self._warnings = document, vault, watched, warnings
        return self.model_copy(update=changes)

    def changed(self) -> bool:
        """Whether the file or `.env` differs from what was loaded. Costs two `stat`s while they do not."""
        return any(watched.changed() for watched in self._watched)
