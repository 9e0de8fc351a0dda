"""The table ``[receipts]``: whether senders get an answer that their footage has come."""

from pydantic import Field

from pipeline.config.section import Section


class ReceiptsSection(Section):
    """Whether senders are told that their footage has come."""

    send: bool = Field(
        default=False, description="true: each sender gets at most one receipt a day"
    )
    language: str = Field(
        default="en",
        pattern=r"^[a-z]{2}$",
        description="the language of a receipt where that of the mail is not known",
    )
    most_a_night: int = Field(
        default=500, ge=1, le=100_000, description="the others get theirs in the next night"
    )
