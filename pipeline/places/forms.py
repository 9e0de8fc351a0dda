"""The table of forms in which a place is written, over folded text.

Every quantifier is bounded, or takes characters that what follows it does not take: the work
for each character of a text has a limit, whatever the text is.

How many decimals make two numbers a place:

* four or more each, within 180 and 90 degrees, with up to eight signs or one word between them;
  with five or more, anything without a digit, up to 24 characters.  Not if both are below 1 (no
  land lies there, but statistics do), if a unit or a currency follows, or if both are well-known
  constants (pi, e);
* three, only as a pair with a decimal point and a comma, semicolon, slash or blank between, of
  which one is 10 or more.  Not the rates of film (23.976, 29.970), and not three or more in a
  row, which are times of laps;
* two, with a degree sign on both, in a link, or behind a word for a position;
* one or none, with letters or words of the hemispheres, with minutes, or behind "latitude".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pipeline.places import hosts, words

_B = r"(?<![^\W_])"  # not inside of a word
_E = r"(?![^\W_])"
_G = r"(?:[^\w%€£¥$]|_)"  # a sign between two numbers
_INT = r"0{0,2}(?:180|1[0-7]\d|\d{1,2})"
_SIXTY = r"(?:[0-5]?\d|60)"
_NINETY = r"(?:[0-8]\d|90)"
_WORD = r"[^\W\d_]{1,12}"
_D, _M, _S = words.DEGREES, words.MINUTES, words.SECONDS
_NS, _EW = words.NORTH, words.EAST
_AND = r"(?:,|;|and|by|x|par|por|per|und|et|y|e|i|и|en|og|och|ja)"


def _decimal(least: int, sign: str = "[.,]") -> str:
    """Degrees with at least so many decimals, also in groups of three, without a unit."""
    groups = r"\d{3}[ ']\d{3}(?:[ ']\d{1,3})?" if least > 3 else r"\d{3}[ ']\d{3}(?!\d)"
    return (
        rf"(?<!\d)[-+]?{_INT}{sign}(?:\d{{{least},20}}|{groups})(?:e[-+]?\d\d?)?(?![\d']\d|\d)"
        rf"(?!{words.UNIT})"
    )


_START = r"(?<!\d\.)"
_DEGREES_MINUTES = (
    rf"{_INT}(?:[.,]\d{{1,12}})? ?(?:a?{_D}|[*?^\ufffd]|o(?= ?\d)|d(?= ?\d{{1,2}}')|\.(?=\d\d'\d))"
    rf" ?{_AND}? ?{_SIXTY}(?:[.,]\d{{1,12}})?"
)
_SECONDS_BEHIND = rf" ?(?:{_M}|_) ?{_AND}? ?{_SIXTY}(?:[.,]\d{{1,12}})?(?!\d) ?(?:{_S}|_)?"
_SIGNED = rf"{_DEGREES_MINUTES}(?:{_SECONDS_BEHIND}|(?!\d) ?(?:{_M}|_)?)"
_BETWEEN = r"[ :_.,/-]{1,2}"
_BARE = (
    rf"{_INT}{_BETWEEN}{_SIXTY}(?:{_BETWEEN}{_SIXTY}(?:[.,]\d{{1,12}})?|(?:[.,]\d{{1,12}})?)(?!\d)"
)
_PLAIN = rf"{_INT}(?:[.,]\d{{1,20}})?(?!\d) ?(?:a?{_D})?"
_MINUTES = rf"(?<!\d){_INT} ?{_D} ?{_SIXTY}(?:[.,]\d{{1,12}})? ?{_M}?"
_LETTERED = rf"{_INT} ?d ?{_SIXTY} ?m ?(?:{_SIXTY}(?:[.,]\d{{1,8}})? ?s)?"
_UNMARKED = rf"{_INT} {_SIXTY} ?' ?{_SIXTY}(?:[.,]\d{{1,12}})?(?!\d) ?(?:\"|'')"
_ANGLE = rf"(?<!\d)[-+]?(?:{_SIGNED}|{_UNMARKED}|{_LETTERED}|{_BARE}|{_PLAIN})"
_LAT = rf"(?:{words.LATITUDE}|{words.WEAK_LATITUDE})"
_LON = rf"(?:{words.LONGITUDE}|{words.WEAK_LONGITUDE})"
_WEAK = rf"(?:{words.WEAK_LATITUDE}|{words.WEAK_LONGITUDE})"
_STRONG = rf"(?:{words.LATITUDE}|{words.LONGITUDE})"
_TO_VALUE = (
    rf"(?:[ _-]?e[5-7])?(?:[\W_]{{1,6}}(?:{words.BETWEEN}{_E}[\W_]{{1,6}}){{0,3}}|(?=[-+\dnsewo]))"
)
_HEMISPHERE = r"(?:(?<![^\W_])[nsewo] ?|[nsewo](?=\d))"
_EASTING = r"\d{0,2}\d{3}[ .']?\d{3}(?:\.\d{1,4})?"
_NORTHING = r"\d[ .']?\d{3}[ .']?\d{3}(?:\.\d{1,4})?"
_GROUPS = rf"\d(?:[.,' ]?\d){{1,14}}(?: ?m)?(?: ?[new]{_E})?"
_NUMBER = r"\d{1,12}(?:[.,/]\d{1,20})?"
_NUMBERS = rf"{_NUMBER}(?:[\W_]{{1,3}}{_NUMBER}){{0,3}}(?!\d|[.,]\d|{words.UNIT})"
_SIGN = rf"(?:[-+]|{_HEMISPHERE})?"
_FRACTIONS = r"\d{1,3}/1[ ,;]{1,3}\d{1,2}/1[ ,;]{1,3}\d{1,9}/\d{1,9}"
# A value that is a coordinate behind a word that may mean something else.
_SURE = (
    rf"(?:{_decimal(2)}|{_HEMISPHERE}{_BARE}|(?<!\d)-?\d{{6,10}}(?!\d)|(?<!\d){_SIGN}{_SIGNED}"
    rf"|{_FRACTIONS})"
)
_PAIR_SIGN = r"(?: ?[,;/|~:&!] ?| )"
_W3W = r"[^\W\d_]{2,24} ?\. ?[^\W\d_]{2,24} ?\. ?[^\W\d_]{2,24}"
_PLUS = "[23456789cfghjmpqrvwx]"
_PLUS_CASED = "[23456789CFGHJMPQRVWX]"
_MONTHS = r"(?:jan|feb|mar|may|jun|jul|sep|dec)[\W_]?\d{2,8}(?!\d)"


@dataclass(frozen=True)
class Form:
    """One way to write a place.

    ``cased``: the pattern is for the text as it is written, and not for lower case.
    ``to_blank``: the place goes on to the next blank, in both directions.
    ``in_files``: only what stands in a media file is judged by it; such words are made by
    devices, and what they call a position is one.
    """

    name: str
    expression: str
    holds: Callable[[re.Match[str]], bool] | None = None
    cased: bool = False
    to_blank: bool = False
    in_files: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The expression, compiled at its first use: all take 0.1 s, which most commands save."""
        return re.compile(self.expression)


_CONSTANTS = ("3.1415", "2.7182", "1.4142", "1.6180", "1.7320", "0.5772")
_FILM_RATES = {23.976, 29.97, 59.94, 47.952, 119.88, 24.0, 25.0, 30.0, 50.0, 60.0}


def _is_pair(match: re.Match[str]) -> bool:
    """Whether decimals in a row can be degrees: not all tiny, not all well-known constants."""
    numbers = re.findall(r"\d{1,3}[.,']\d{4,20}|\d{1,3}[.,]\d{3}[ ']\d{3}", match[0])
    known = all(number.replace(",", ".").startswith(_CONSTANTS) for number in numbers)
    tiny = all(re.match(r"0{1,3}\D|\d+\D\d000$", number) for number in numbers)
    phones = all(re.match(r"0\d\d", number) for number in numbers)
    same = len({number[:3] for number in numbers}) == 1
    rates = re.search(rf"{words.CURRENCY}[\W_]{{1,3}}$", match.string[: match.start()][-9:])
    months = all(re.fullmatch(r"(?:0?[1-9]|1[0-2])[.,](?:19|20)\d\d", each) for each in numbers)
    return not (known or tiny or (phones and same) or months or rates)


def _is_coarse_pair(match: re.Match[str]) -> bool:
    around = match.string[max(0, match.start() - 14) : match.start()]
    if re.search(r"\d[.,]\d{3}[\W_]{1,4}(?:[^\W\d_]{1,5}[\W_]{1,3})?$", around) or re.match(
        r"[\W_]{0,3}(?:[^\W\d_]{0,5}[\W_]{1,3})?\d{1,3}\.\d{3}(?!\d)",
        match.string[match.end() :][:20],
    ):
        return False
    numbers = re.findall(r"\d{1,3}\.\d{3,20}", match[0])
    values = [float(number) for number in numbers]
    if all(re.match(r"0\d\d|.*00$", number) for number in numbers):
        return False
    return max(values) >= 10 and min(values) <= 90 and not set(values) <= _FILM_RATES


def _has_hemispheres(match: re.Match[str]) -> bool:
    """Whether letters beside numbers mean hemispheres: not 'S01E05', '5 s' and '3 W'."""
    text = match[0].strip()
    if re.search(
        rf"\d ?(?:{_D})|\d ?['*?\ufffd]|\d[:_ .,/-]{{1,2}}\d{{1,2}}[ :_.,/-]{{1,2}}\d", text
    ):
        return True
    if len(re.findall(r"\d[.,]\d{3}|\d[ :_/-]\d{1,2}(?!\d)", text)) >= 2:
        return True
    letters = "".join(re.findall(r"[a-z]+", text))
    coarse = len(re.findall(r"\d[.,]\d", text)) >= 2
    if len(letters) > 2:
        return coarse
    if not re.search(r"\d[.,:-]\d", text):  # whole degrees
        return bool(re.fullmatch(rf"n ?{_NINETY}[ _,;/]{{0,3}}[ew] ?\d{{2,3}}"
                                 rf"|{_NINETY} ?n[ ,;/]{{1,3}}\d{{2,3}} ?[ew]", text))  # fmt: skip
    glued = re.search(r"\d[nsewo]|[nsewo]\d", text)
    return (coarse and "=" not in text and bool(glued or "n" in letters)) or bool(
        re.search(r"\d[:-]\d", text)
    )


def _is_grid(match: re.Match[str]) -> bool:
    digits = re.sub(r"\D", "", match["value"])
    lettered = re.search(r"(?<![a-z])(?:\d\d?[a-z])?[a-z]{2} ?\d", match[0])
    least = 4 if lettered else 6
    return len(digits) >= least and not re.match(
        r"\D{0,3}(?:19|20)\d\d[-./ _]?[01]\d", match["value"]
    )


def _has_digit(match: re.Match[str]) -> bool:
    return any(char.isdigit() for char in match["value"])


def _is_plus_code(match: re.Match[str]) -> bool:
    code = match["value"]
    return any(char.isalpha() for char in code) and not code.lower().startswith(
        ("h263", "h264", "h265", "x264", "x265")
    )


def _is_spaced_plus_code(match: re.Match[str]) -> bool:
    return bool(re.search("[A-Z]", match["value"]) and re.search(r"\d", match["value"]))


def _is_not_date(match: re.Match[str]) -> bool:
    return not re.search(r"(?:19|20)\d\d[01]\d[0-3]\d", match[0])


def _is_in_link(match: re.Match[str]) -> bool:
    """Whether a pair is part of a link: something of an address stands shortly before it."""
    if "!" in match[0][:1]:
        return True
    before = match.string[max(0, match.start() - 200) : match.end()].rsplit(" ", 1)[-1]
    return (
        "://" in before or "www." in before or bool(re.search(r"[a-z]\.[a-z]{2,}/|[?&#]", before))
    )


def _in_both_orders(
    name: str,
    write: Callable[[str, str], str],
    words_of_both: tuple[str, str],
    holds: Callable[[re.Match[str]], bool] | None = None,
) -> tuple[Form, Form]:
    """Two forms, which are the same with latitude and longitude exchanged."""
    latitude, longitude = words_of_both
    return (
        Form(name, write(latitude, longitude), holds),
        Form(f"{name}, longitude first", write(longitude, latitude), holds),
    )


_TABLE = (
    # --- decimal degrees ---
    Form("decimal pair",
          rf"{_START}{_decimal(4)}(?:(?:{_G}{{1,8}}|[\W_]{{0,4}}{_WORD}"
          rf"[\W_]{{0,4}}){_decimal(4)})+ ?°?(?: ?(?:{_NS}|{_EW}){_E})?", _is_pair),
    Form("fine decimal pair",
          rf"{_START}{_decimal(5)}(?:[^\d%€£¥$]|(?:\+/-|±) ?\d{{1,3}}(?:\.\d)? ?m|(?<= )\d[.):] )"
          rf"{{1,40}}?{_decimal(5)}(?: ?°)?(?: ?(?:{_NS}|{_EW}){_E})?", _is_pair),
    Form("pair with another decimal sign",
          rf"(?<!\d){_INT}(?P<sign>['°:_p])\d{{5,8}}[ ,;/_-]{{1,2}}{_INT}(?P=sign)\d{{5,8}}(?!\d)"
          rf"|[ns]_?{_INT}(?P<mark>[_-])\d{{4,8}}_[ewo]_?{_INT}(?P=mark)\d{{4,8}}(?!\d)"
          rf"|(?<!\d){_INT}(?P<dot>[_-])\d{{4,8}}_?[ns]_{_INT}(?P=dot)\d{{4,8}}_?[ewo]{_E}"),
    Form("pair without a sign between",
          rf"(?<![\d.]){_INT}[.,]\d{{7,18}}[.,]\d{{5,20}}(?!\.?\d)"),
    Form("coarse decimal pair",
          rf"(?<!\d[.,])(?<!\d)[-+]?{_INT}\.\d{{3,20}}(?!\d|{words.UNIT})"
          rf"(?: ?[,;/|&] ?| |_)[-+]?{_INT}\.\d{{3,20}}(?!\d|{words.UNIT})(?!\.\d+(?![a-z\d]))",
          _is_coarse_pair),
    Form("pair with degree signs",
          rf"{_decimal(2)} ?°(?! ?[cfk]{_E})[\W_]{{0,4}}(?:{_WORD}[\W_]{{1,4}})?{_decimal(2)} ?°"
          rf"(?! ?[cfk]{_E})(?: ?(?:{_NS}|{_EW}){_E})?"),
    Form("pair in a link",
          rf"(?:(?:[=@]|![234]d){_decimal(1)}(?:[,~;/|!:_ ]|![234]d|, ){_decimal(1)}"
          rf"|[/:,?&#(]{_decimal(2)}[,~;/|!:_]{_decimal(2)})",
          _is_in_link),
    Form("pair at a sign", rf"@ ?{_decimal(2)}, ?{_decimal(2)}"),
    # --- hemispheres ---
    *_in_both_orders("letters behind",
          lambda one, other: rf"{_ANGLE}[ ',_]?(?:{one})(?:(?=\d)|{_E}\.?[\W_]{{0,6}}"
          rf"(?:{_AND} )?){_ANGLE}[ ',_]?(?:{other}){_E}", (_NS, _EW), _has_hemispheres),
    *_in_both_orders("letters before",
          lambda one, other: rf"{_B}(?:{one})[\W_]{{0,3}}{_ANGLE}[\W_]{{0,6}}(?:{_AND} )?"
          rf"(?<![^\W\d_])(?:{other})[\W_]{{0,3}}{_ANGLE}", (_NS, _EW), _has_hemispheres),
    Form("letters between",
          rf"(?<!\d){_INT}[NS]{_SIXTY}(?:{_SIXTY})?(?:[.,]\d{{1,8}})?[\W_]{{1,3}}{_INT}[EWO]"
          rf"{_SIXTY}(?:{_SIXTY})?(?:[.,]\d{{1,8}})?(?!\d)", cased=True),
    Form("packed, letters behind",
          r"(?<!\d)(?:\d{6}|\d{4})(?:\.\d{1,8})?[ ,_]{0,2}[NS][\W_]{0,3}\d{4,7}(?:\.\d{1,8})?"
          rf"[ ,_]{{0,2}}[EWO]{_E}", cased=True),
    Form("packed, letters before",
          rf"{_B}[NS][ _:]?(?:\d{{6,8}}|\d{{4}})(?:\.\d{{1,8}})?[\W_]{{0,3}}[EWO][ _:]?"
          r"\d{4,9}(?:\.\d{1,8})?(?!\d)", cased=True),
    Form("one with a letter",
          rf"(?<!\d)[-+]?(?:{_decimal(4)}[NSEWO]{_E}|{_INT}[.,]\d{{2,20}} ?°[ ,]?(?:[NSEWO]){_E}"
          rf"|{_INT}[ ,:_-]{_SIXTY}[.,]\d{{2,12}}[NSEW]{_E}|{_INT},{_SIXTY},{_SIXTY}(?:\.\d+)?"
          rf"[NSEW]{_E})"
          rf"|{_B}[NSEW] ?{_decimal(4)}", cased=True),
    Form("one with a word", rf"(?<!\d){_INT}[.,]\d{{2,20}} ?{_D} ?(?:{_NS}|{_EW}){_E}"),
    # --- degrees, minutes, seconds ---
    Form("minutes and seconds",
          rf"(?<!\d){_DEGREES_MINUTES} ?(?:{_M}|_) ?{_AND}? ?{_SIXTY}(?:[.,]\d{{1,12}})? ?(?:{_S}"
          rf"|_)"
          rf"(?: ?(?:{_NS}|{_EW}){_E})?"),
    Form("minutes and a letter",
          rf"(?<!\d)(?:{_SIGNED}|{_LETTERED}) ?,? ?(?<!min)(?<!minute)(?:{_NS}|{_EW}){_E}"),
    Form("decimal minutes",
          rf"(?<!\d){_INT} ?°[ ,]?{_SIXTY}(?:[.,](?:\d{{2,12}}|\d ?')|' ?\d)"),
    Form("pair of minutes", rf"{_MINUTES}[\W_]{{0,4}}(?:{_AND} )?{_MINUTES}(?!\d)"),
    Form("pair with d, m, s", rf"(?<!\d){_LETTERED}[\W_]{{0,4}}(?<!\d){_LETTERED}"),
    Form("pair of decimal minutes",
          rf"(?<![\d.,]){_INT}[ :_-]{_SIXTY}[.,]\d{{3,12}}(?:[',;/|_ ]{{1,3}}|(?=[-+]))[-+]?{_INT}"
          rf"[ :_-]"
          rf"{_SIXTY}[.,]\d{{3,12}}(?!\d)"),
    Form("pair with seconds",
          rf"(?<![\d.,]){_INT}[;,]? {_SIXTY}[;,]? {_SIXTY}\.\d{{1,12}}[\W_]{{1,4}}[-+]?{_INT}"
          rf"[;,]? {_SIXTY}[;,]? {_SIXTY}\.\d"),
    Form("fractions",
          # four in a row are the range of a lens
          rf"(?<!\d)(?<!\d[ ,;]){_FRACTIONS}(?:[ ,;]{{1,3}}{_FRACTIONS})?(?![\d/])"
          r"(?![ ,;]{1,3}\d{1,9}/\d{1,9}(?![ ,;]{1,3}\d))"),
    # --- behind a word ---
    Form("latitude or longitude",
          rf"{_STRONG}[^\d]{{0,20}}?(?:e[5-7][^\d]{{1,6}})?(?<!\d)[-+]?(?:\d{{1,3}}[.,]\d{{1,20}}"
          rf"|\d{{5,10}}"
          rf"|\d{{1,3}}(?= ?{_D})|\d{{1,3}}[\W_]{{1,2}}\d)(?:[\W_]{{0,3}}{_NUMBERS})?"),
    Form("lat or lon",
          rf"(?:{_B}|(?<=gps)|(?<=center)|(?<=start)|(?<=end)|(?<=geo)|(?<=map)|(?<=location))"
          rf"(?:[ms]?lat|[ms]?lon|[ms]?lng){_TO_VALUE}{_SURE}(?:[\W_]{{1,3}}(?:{_NUMBER})(?=\D*"
          rf"[nsewo]?{_E}))?"),
    Form("long", rf"{_B}{_WEAK}{_TO_VALUE}{_decimal(3)}"),
    Form("long in markup", rf"{_B}long(?:[=>]|[\"'] ?[:=])[\W_]{{0,6}}{_decimal(2)}"),
    *_in_both_orders("values behind the words",
          lambda one, other: rf"{_B}{one}{_TO_VALUE}{_SIGN}{_NUMBERS}[\W_]{{0,8}}"
          rf"(?:{_WORD}[\W_]{{1,4}})?{other}{_TO_VALUE}{_SIGN}{_NUMBERS}", (_LAT, _LON)),
    *_in_both_orders("values before the words",
          lambda one, other: rf"{_decimal(1)}[\W_]{{1,4}}(?:{one}[\W_]{{1,6}}{_decimal(1)}"
          rf"|{_decimal(1)}[\W_]{{1,4}}{one})[\W_]{{1,4}}{other}{_E}", (_LAT, _LON)),
    *_in_both_orders("table",
          lambda one, other: rf"{_B}{one}[\W_]{{0,3}}{other}{_E}[^\d]{{1,60}}?{_decimal(1)}"
          rf"[\W_]{{1,6}}{_decimal(1)}", (_LAT, _LON)),
    Form("coordinates",
          rf"{_B}{words.POSITION}{_TO_VALUE}{_decimal(1)}[\W_]{{1,6}}(?:{_AND} )?{_decimal(1)}"
          rf"(?:[\W_]{{1,4}}{_decimal(1)}){{0,60}}"),
    Form("position", rf"{_B}(?:{words.PLACE}){_TO_VALUE}{_decimal(2)}{_PAIR_SIGN}{_decimal(2)}"),
    Form("gps and a number", rf"(?:{_B}|(?<=_))gps[\W_]{{0,4}}[nsew]?[ _:]?{_decimal(3)}"),
    Form("gps and whole numbers",
          rf"{words.POSITION}[\W_]{{1,3}}[enrh]?[ :]?-?\d{{5,10}}(?:\.\d{{1,4}})?[\W_]{{1,3}}"
          rf"[enrh]?[ :]?-?\d{{5,10}}(?!\d)",
          _is_not_date),
    # --- of standards ---
    Form("ISO 6709",
          r"(?<!\d)[-+]\d{2,6}\.\d{1,20}[-+]\d{3,7}\.\d{1,20}(?:[-+]\d{1,6}(?:\.\d{1,12})?)?(?:cr"
          r"s[\w]{0,20})?/?"),
    Form("ISO 6709 in whole numbers",
          rf"{_B}[-+](?:\d\d|\d{{4}}|\d{{6}})[-+](?:\d{{3}}|\d{{5}}|\d{{7}})(?:[-+]\d{{1,6}}(?:\."
          rf"\d{{1,12}})?)?"
          r"(?:crs\w{0,20})?/(?!\d)"),
    Form("geo URI", rf"{_B}geo[:=] ?-?\d{{1,3}}(?:\.\d{{1,20}})?[,;] ?-?\d", to_blank=True),
    Form("NMEA",
          r"(?:[$!]|(?<![^\W_]))(?:g[pnlabqi]|bd|ii|qz|in|ec)(?:rmc|gga|gll|gns|rma|rmb|wpl|bwc|b"
          r"wr)"
          r"[,;][^ ]", to_blank=True),
    Form("NMEA numbers", r"(?<![\d.])\d{4}\.\d{3,8}[ ,;_|]{1,2}[01]\d{4}\.\d{3,8}(?!\d)"),
    Form("binary geometry",
          rf"{_B}01[01][0-9a-f]{{5,6}}(?:e6100000)?[0-9a-f]{{32}}{_E}|0101000020e6100000"),
    # --- codes ---
    Form("plus code",
          rf"{_B}(?P<value>{_PLUS}{{8}}|(?:{_PLUS}{{2}}){{1,3}}(?:00){{1,3}}) ?\+ ?"
          rf"(?:{_PLUS}{{2,7}}{_E})?",
          _is_plus_code),
    Form("short plus code",
          rf"{_B}(?P<value>(?:{_PLUS}{{2}}){{2,3}})\+{_PLUS}{{2,4}}{_E}", _is_plus_code),
    Form("plus code with a blank", rf"{_B}(?P<value>{_PLUS_CASED}{{8}}) {_PLUS_CASED}{{2,3}}{_E}",
          _is_spaced_plus_code, cased=True),
    Form("what3words", rf"(?<!file:)(?<!/)/ ?/ ?/ ?{_W3W}{_E}"),
    Form("what3words by name",
          rf"{_B}{words.W3W}[\W_]{{1,6}}(?:(?:is|address|ist)[\W_]{{1,4}})?{_W3W}{_E}"),
    Form("UTM",
          rf"{_B}(?:0?[1-9]|[1-5]\d|60) ?(?:[c-hj-np-x]|north|south)[\W_]{{0,3}}(?:e ?)?"
          rf"{_EASTING}(?: ?m)?(?: ?e)?(?: utm)?[\W_]{{1,3}}(?:n ?)?"
          rf"{_NORTHING}(?: ?m)?(?: ?n)?{_E}"),
    *_in_both_orders("northing and easting",
          lambda one, other: rf"{_B}{one}[\W_]{{1,4}}{other}(?!\d)",
          (rf"(?:n|h|hw|y|nord) ?[:=]? ?{_NORTHING}", rf"(?:e|r|rw|x|ost) ?[:=]? ?{_EASTING}")),
    Form("meters east and north",
          rf"(?<!\d){_EASTING} ?m? ?e[\W_]{{0,3}}0?\d{{6,7}}(?:\.\d{{1,4}})? ?m? ?n{_E}"),
    Form("UPS",
          rf"{_B}ups[\W_]{{1,3}}(?:zone )?(?:[abyz][\W_]{{1,3}})?\d{{7}}[\W_]{{1,3}}\d{{7}}{_E}"),
    Form("MGRS",
          rf"{_B}(?:0?[1-9]|[1-5]\d|60)[ _./-]?(?!{_MONTHS})[c-hj-np-x]"
          rf"[ _./-]?[a-hj-np-z][a-hj-np-v][ _./-]?"
          rf"(?:\d{{5}}[ _./-]?\d{{5}}|\d{{4}}[ _./-]?\d{{4}}|\d{{3}}[ _./-]?\d{{3}}){_E}"),
    Form("grid by name",
          rf"{_B}{words.GRID}(?!_(?:source|medium|campaign|id|term|content))(?:[\W_]{{1,6}}|(?="
          rf"\d))(?:(?:{words.BETWEEN}|[a-z]{{1,8}}){_E}[\W_]{{1,6}}){{0,3}}"
          rf"(?P<value>(?:[0-5]?\d ?)?(?:[a-z]{{1,3}} ?)?{_GROUPS}(?:[\W_]{{1,4}}"
          rf"(?:[a-z]{{1,2}} ?)?{_GROUPS}){{0,3}})", _is_grid),
    Form("code by name",
          rf"{_B}{words.CODE}[\W_]{{1,6}}(?:{words.BETWEEN}[\W_]{{1,6}}){{0,2}}(?P<value>"
          rf"[\w.+:-]{{4,40}})",
          _has_digit),
    Form("place of Google",
          r"(?<![^\W_])(?:chij[\w-]{20,30}|0x[0-9a-f]{12,16}:0x[0-9a-f]{12,16})"),
    # --- links ---
    Form("link to a map", hosts.HOST, to_blank=True),
    Form("address of a map program", hosts.SCHEME, to_blank=True),
    # --- only in media files ---
    Form("named number",
          r"(?:latitude|longitude|(?<![^\W_])lat|(?<![^\W_])lo?ng?)\W{1,4}[-+]?\d{2,}",
          in_files=True),
    Form("head of NMEA", r"\$(?:g[pnlabq]|bd)(?:rmc|gga|gll|gns|rma)(?![^\W_])", in_files=True),
    Form("markup of positions",
          r"<(?:trkpt|rtept|wpt|coordinates)(?![^\W_])|<(?:gpx|kml)(?![^\W_])", in_files=True),
    Form("gps with few decimals",
          r"(?<![^\W_])gps(?![^\W_])\W{0,4}[-+ns]? ?\d{1,3}\.\d{2,}", in_files=True),
)  # fmt: skip

FORMS = tuple(form for form in _TABLE if not form.in_files)
FORMS_IN_FILES = _TABLE
