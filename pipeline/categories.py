"""Which category of the configuration an attachment belongs to, by the mail that brought it."""

import re

from pipeline.config import Category, Config
from pipeline.model import Attachment, Submission


def category_of(config: Config, item: Attachment, submission: Submission) -> Category | None:
    """Return the category of the inbox, else the first one that matches; None if there is none."""
    given = {inbox.category for inbox in config.inbox if inbox.name == submission.inbox}
    for category in config.campaign.category:
        if category.name in given:
            return category
    for category in config.campaign.category:
        texts = {
            "subject": (submission.subject,),
            "body": (submission.text,),
            "recipient": submission.recipients,
            "kind": (item.kind.value,),
        }[category.match]
        if any(re.search(category.pattern, text) for text in texts):
            return category
    return None
