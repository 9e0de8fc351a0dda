"""What a received file gives away: in which of its parts, and of what kind.  Never the value."""

from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """What kind of information a carrier gives away."""

    LOCATION = "location"
    IDENTITY = "identity"
    TIME = "time"
    OTHER = "other"


class Carrier(StrEnum):
    """The part of a file in which something was found.  Never the key of a tag."""

    EXIF_POSITION = "EXIF position"
    XMP_POSITION = "XMP position"
    IPTC_PLACE = "IPTC place"
    QUICKTIME_POSITION = "QuickTime position"
    THREEGPP_POSITION = "3GPP position"
    CONTAINER_TAG = "container tag"
    STREAM_TAG = "stream tag"
    COMMENT_TEXT = "comment text"
    CHAPTERS = "chapters"
    SUBTITLE_TRACK = "subtitle track"
    TELEMETRY_TRACK = "telemetry track"
    DATA_TRACK = "data track"
    ATTACHMENT = "attachment"
    COVER_PICTURE = "cover picture"
    THUMBNAIL = "thumbnail"
    SECOND_IMAGE = "second image"
    MOTION_PHOTO = "motion photo"
    TRAILER = "trailer"
    CLOSED_CAPTIONS = "closed captions"
    USER_DATA = "user data in the picture stream"
    C2PA = "C2PA manifest"
    COLOUR_PROFILE = "colour profile"
    DEVICE = "device"
    SERIAL_NUMBER = "serial number"
    PERSON = "person"
    TIME = "time"
    FILE_NAME = "file name"
    SUBJECT = "subject"
    UNKNOWN_PART = "unknown part"
    NOT_SEARCHED = "part that was not searched"


@dataclass(frozen=True, order=True)
class Finding:
    """Something that a received file carried: in which part, and what it gives away.  No value."""

    carrier: Carrier
    what: What
