"""Export: everything of an account in one archive, which opens in a browser without a network.

The parts, decoded from base64 and put together, are a ZIP file. `imd export FILE` fetches and writes it.

-> EXPORT                    <- OK EXPORT parts=1 bytes=… sha256=… time=… expires=…
-> EXPORT PART 1             <- OK EXPORT PART part=1 parts=1 bytes=… sha256=… time=… data="UEsDBBQ…"
"""

from typing import Annotated

from msgspec import Meta

from imd.wire.base import Command, Reply, command
from imd.wire.fields import BIGGEST
from imd.wire.refusals import BadRequest, RateLimited, Unavailable

PART_BYTES = 32_768
"""How much of the archive one part holds, so that it fits into a line as base64."""


class Exported(Reply, frozen=True, kw_only=True):
    """The archive is made. It shows the state at `time`, and can be fetched until `expires`."""

    parts: int
    bytes: int
    sha256: str
    time: str
    expires: str


@command("export", "EXPORT")
class Export(Command, frozen=True, kw_only=True):
    """Make an archive of everything that is yours and all that you may read."""

    reply = Exported
    refusals = (RateLimited, Unavailable)
    example = "EXPORT"


class Part(Reply, frozen=True, kw_only=True):
    """One part of the archive, as base64. `sha256` is that of the whole archive."""

    part: int
    parts: int
    bytes: int
    sha256: str
    time: str
    data: str


@command("export_part", "EXPORT PART part")
class ExportPart(Command, frozen=True, kw_only=True):
    """Fetch a part of your latest archive; the first is 1."""

    part: Annotated[int, Meta(ge=1, le=BIGGEST)]
    reply = Part
    refusals = (BadRequest, Unavailable)
    example = "EXPORT PART 1"
