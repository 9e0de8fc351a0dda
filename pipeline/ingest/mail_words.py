"""The words of a mail, and the links in them, collected from its parts."""

from dataclasses import dataclass, field

from pipeline import places
from pipeline.ingest import contents, leaves, mime
from pipeline.ingest.contents import Role
from pipeline.ingest.links import Links, elsewhere


@dataclass
class MailWords:
    """The texts of a mail, collected on the way through its parts.

    ``plain``, ``html`` and ``inner``, those of forwarded mails, which are shown if it has no other.
    ``takes_back``: a text was too long to be read whole, so it may take footage back.
    """

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    inner: list[str] = field(default_factory=list)
    links: Links = field(default_factory=Links)
    takes_back: bool = False

    def add(self, role: Role, text: str, *, forwarded: bool, cut: bool) -> None:
        """Add a text.

        :param forwarded: it is of a mail in the mail.
        :param cut: it goes on behind what was read.
        """
        shown, ends_in_file = leaves.words(text, role)
        self.links.read([text if role is Role.HTML else shown], html=role is Role.HTML)
        if cut and not ends_in_file:
            self.takes_back |= not forwarded  # perhaps: nobody has read the rest
            shown = places.without_end(contents.tidy([shown])[: contents.TEXT_KEPT])
        own = self.plain if role is Role.TEXT else self.html
        (self.inner if forwarded else own).append(shown)

    @property
    def whole(self) -> str:
        """The text of the mail: as plain text if there is one, else from HTML, else forwarded."""
        return next(filter(None, map(contents.tidy, (self.plain, self.html, self.inner))), "")


def read_words(mail: mime.Mail, words: MailWords, *, nested: bool) -> set[str]:
    """Collect the texts of a mail.

    :param nested: it is a mail in the mail.
    :returns: the Content-IDs that its HTML shows.
    """
    shown: set[str] = set()
    for part, above in mail.root.walk():
        role = leaves.role(part, mail.file)
        if role in (Role.TEXT, Role.HTML):
            text, cut = leaves.text(part, mail.file)
            words.add(role, text, forwarded=nested or contents.forwarded(above), cut=cut)
            if cut:
                words.links.read(leaves.all_text(part, mail.file), html=role is Role.HTML)
            if role is Role.HTML:
                shown |= contents.shown_ids(text)
        elif part.content_type == "message/external-body":
            address = elsewhere(part.headers)
            words.add(Role.TEXT, address, forwarded=False, cut=False)
            words.links.add_known(address)
    return shown
