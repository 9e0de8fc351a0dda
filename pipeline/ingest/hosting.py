"""Whether a web address is that of a place where people put files.

The known places are data (``places_for_files.toml``).  Servers that anybody can run (Nextcloud,
Seafile and their like) and addresses that name footage are recognised by rules.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from urllib.parse import unquote

_ADDRESS = re.compile(
    r"(?:(h(?:tt|xx)ps?|ftp):[/\\]{1,3})?([^/?#\\]+)([/?#\\].*)?", re.IGNORECASE | re.DOTALL
)
_AUTHORITY = re.compile(r"([\w-]+(?:\.[\w-]+)+)\.?(?::(\d{1,5}))?")
_TRACKING = re.compile(r"(?:^|(?<=[?&]))(?:utm_|mc_|at_|fbclid|gclid|smid|igsh)[^&#]*&?")
_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_][a-z]{2,4})?", re.IGNORECASE)
# First names of the hosts at which a service explains itself.
_HELP = frozenset(
    ("help", "support", "blog", "about", "status", "developers", "community", "learn", "forum")
)
# Shares of Nextcloud and ownCloud, Seafile, Synology, QNAP, Pydio, FileSender, Immich and others.
_SHARES = re.compile(
    r"(?:/[a-z0-9_.-]{1,30}){0,2}?(?:"
    r"/s/(?=[^/]*[0-9A-Z])[A-Za-z0-9]{15}(?=[/?#]|$)"
    r"|/index\.php/(?:s|apps/files_sharing/publicpreview|apps/photos/public)/[A-Za-z0-9_-]{6,64}"
    r"|/public\.php\?service=files&t=\w+|/(?:public|remote)\.php/(?:web)?dav/."
    r"|/(?:u/)?[df]/(?:[0-9a-f]{10}|[0-9a-f]{20})(?=[/?#]|$)"
    r"|/(?:mo/|photo/)*sharing/[A-Za-z0-9_-]{8,16}(?=[/?#]|$)|/fbdownload/"
    r"|/share\.cgi\?\w"
    r"|/public/[0-9a-f]{6,12}(?=[/?#]|$)"
    r"|/share/[A-Za-z0-9_-]{43,100}(?=[/?#]|$)"
    r"|/(?:index\.php|filesender/)?\?(?:[^#]*&)?s=(?:download|upload)&(?:[^#]*&)?(?:token|vid)=[0-9a-f-]{20,}"
    r"|/download/[0-9a-f]{10,20}/?#[\w-]{16,}"
    r")"
)
_CLOUD_HOST = re.compile(
    r"(?:^|[.-])(?:next|own|my|home|team|data|file)?(?:cloud|drive|nc|oc|files?|box|nas|wolke|nuage)"
    r"(?:[.-]|\d|$)"
)
_CLOUD_TOKEN = re.compile(r"(?:/[a-z0-9_.-]{1,30}){0,2}?/s/[A-Za-z0-9_-]{4,64}(?=[/?#]|$)")
_FILM = r"\.(?:mov|mp4|m4v|avi|mkv|webm|mts|m2ts|3gp|3g2|mpe?g|wmv|flv|ogv|hevc|insv|lrv|mxf)"
_PHOTO = r"\.(?:jpe?g|heic|heif|png|tiff?|webp|avif|dng|gif)"
_END = r"(?![a-z0-9])"
_FILM_FILE = re.compile(rf"[\w%)(+~-]{_FILM}{_END}")
_FILM_AT_END = re.compile(rf"[^/]{_FILM}$")
_MEDIA_FILE = re.compile(rf"[\w%)(+~-](?:{_FILM}|{_PHOTO}){_END}")
_CAMERA_FILE = re.compile(
    r"(?<![a-z])(?:img|mvi|vid|dsc[fn]?|pxl|gopr|g[xhp]\d\d|dji|pict|sam|mov|imag|wp|dscf|photo|video)"
    r"[_-]?(?:e|wa)?\d{3,14}"
)
_FOOTAGE = re.compile(
    r"(?<![a-z])(?:videos?|clips?|footage|films?|movies?|rushes|photos?|pictures?|fotos?|bilder|"
    rf"vid[eé]os?|filmy|pel[ií]culas?|aufnahmen?){_END.replace('0-9', '')}"
)
_SHARING = re.compile(
    r"shar(?:e|ed|es|ing)(?![a-z])|transfer|download|(?<![a-z])(?:dl|freigaben?|teilen|geteilt|"
    r"partages?|partager|t[eé]l[eé]charger?|t[eé]l[eé]chargement|compartir|compartid[oa]s?|"
    r"descargas?|descargar|condivi(?:si|di|sione)|scarica|pobierz|udost[eę]pnione)(?![a-z])"
)
_KEEPING = re.compile(
    r"(?<![a-z])(?:files?|clouds?|drive|uploads?|storage|nas|send|public|get|media|attachments?)(?![a-z])"
)
_DOCUMENT = re.compile(r"\.(?:pdf|docx?|xlsx?|pptx?|od[tsp]|txt|csv|ics|vcf|exe|dmg|apk|css|js)$")
_FILE_TOPS = re.compile(_FILM + "$|" + _PHOTO + r"$|\.(?:zip|rar|txt|docx?|pdf|html?)$")


@dataclass(frozen=True)
class Address:
    """A web address; ``rest`` is path, query and fragment as they are written."""

    scheme: str
    host: str
    port: str
    rest: str

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{self.host}{port}{self.rest}"

    @property
    def path(self) -> str:
        """The path without query and fragment."""
        return re.split("[?#]", self.rest, maxsplit=1)[0]

    def without_query(self) -> Address:
        """The address that ends with its path."""
        return replace(self, rest=self.path)


@dataclass(frozen=True)
class _Place:
    """A row of the data file."""

    path: re.Pattern[str] | None


@dataclass(frozen=True)
class _Known:
    places: dict[str, _Place]
    ordinary: frozenset[str]
    short: frozenset[str]
    own_pages: frozenset[str]


def parse(text: str) -> Address | None:
    """Read an address; a missing scheme is https.  User and password are left out."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return None
    scheme, authority, rest = found[1] or "https", found[2].rsplit("@", 1)[-1], found[3] or ""
    place = _AUTHORITY.fullmatch(unquote(authority))
    if place is None or len(place[1]) > 253:
        return None
    scheme = scheme.lower().replace("xx", "tt")
    return Address(scheme, place[1].lower(), place[2] or "", rest.replace("\\", "/"))


def is_known(address: Address) -> bool:
    """Whether the address leads to files at a place of the data file."""
    place = _of_host(_known().places, address.host)
    if place is None:
        return False
    rest = _TRACKING.sub("", address.rest)
    if place.path is not None:
        return place.path.match(unquote(rest.lstrip("/"))) is not None
    return _leads_on(rest)


def is_short(address: Address) -> bool:
    """Whether an address is a short link: nobody can see from it where it leads."""
    path = address.path.strip("/")
    return address.host.removeprefix("www.") in _known().short and len(path) > 1


def is_known_host(host: str) -> bool:
    """Whether the data file has this host or a domain of it."""
    return _of_host(_known().places, host.lower()) is not None


def is_share(address: Address) -> bool:
    """Whether an address of an unknown host looks like that of a share, or of footage."""
    if _of_host(_known().places, address.host) or _is_ordinary(address.host):
        return False
    if _SHARES.match(address.rest):
        return True
    if _CLOUD_HOST.search(address.host) and _CLOUD_TOKEN.match(address.rest):
        return True
    return _names_footage(address)


def is_file_name(host: str) -> bool:
    """Whether a host without a scheme is the name of a file: ``IMG_1.mov``."""
    return _FILE_TOPS.search(host) is not None


def _names_footage(address: Address) -> bool:
    whole = unquote(_TRACKING.sub("", address.rest)).lower()
    path = re.split("[?#]", whole, maxsplit=1)[0]
    where = f"{address.host}{path}"
    if address.scheme == "ftp" or _FILM_AT_END.search(path):
        return True
    if _DOCUMENT.search(path) or (path.count("/") == 1 and path.strip("/") in _known().own_pages):
        return False
    is_camera = _CAMERA_FILE.search(whole) is not None
    if is_camera and (_MEDIA_FILE.search(whole) or _KEEPING.search(where)):
        return True
    is_film = _FILM_FILE.search(whole) is not None
    if _SHARING.search(where):
        return bool(is_camera or is_film or _MEDIA_FILE.search(path) or _FOOTAGE.search(path))
    return (is_camera or is_film) and _SHARING.search(whole) is not None


def _leads_on(rest: str) -> bool:
    """Whether a path leads to something else than a page about the service."""
    path, *behind = re.split("[?#]", rest, maxsplit=1)
    segments = [each for each in path.split("/") if each]
    if segments and _LANGUAGE.fullmatch(segments[0]):
        segments = segments[1:]
    if segments:
        return segments[0].lower() not in _known().own_pages
    return bool(behind) and len(behind[0]) >= 6


def _is_ordinary(host: str) -> bool:
    return any(domain in _known().ordinary for domain in _domains(host))


def _of_host(places: dict[str, _Place], host: str) -> _Place | None:
    found = next((each for each in _domains(host) if each in places), None)
    if found is None or (found != host and host.split(".", maxsplit=1)[0] in _HELP):
        return None
    return places[found]


def _domains(host: str) -> list[str]:
    """The host and the domains that it is in, the longest first."""
    labels = host.split(".")[-6:]
    return [".".join(labels[at:]) for at in range(len(labels) - 1)]


@cache
def _known() -> _Known:
    file = resources.files("pipeline.ingest").joinpath("places_for_files.toml")
    loaded = tomllib.loads(file.read_text("utf-8"))
    places = {
        host: _Place(re.compile(row["path"], re.IGNORECASE) if "path" in row else None)
        for row in loaded["place"]
        for host in row["hosts"]
    }
    return _Known(
        places,
        frozenset(loaded["ordinary"]["hosts"]),
        frozenset(loaded["short"]["hosts"]),
        frozenset(loaded["own_pages"]["words"]),
    )
