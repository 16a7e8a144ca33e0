"""Style classes: what an operator puts around the HTML of an email."""

from collections.abc import Mapping
from dataclasses import replace

from broker.domain.submission import Submission
from broker.domain.value import value
from broker.domain.vocabulary import Channel

BODY = "$Body$"
"""Where the email's own HTML goes."""

STYLE_CLASSES_MAX = 100
WRAPPER_CHARACTERS_MAX = 100_000

NO_STYLES: Mapping[str, str] = {}
StyleClasses = Mapping[str, str]
"""HTML with one place for the body, by the name of the class. Empty: a provider knows the class and puts its own."""


@value
class StyleRefused:
    """A style class that cannot be used, and why."""

    rule: str


def dress(submission: Submission, classes: StyleClasses) -> Submission | StyleRefused:
    """The submission with the HTML of its email within the wrapper of its class.

    What is done here is done for every provider, so the class itself is gone then; one without a wrapper
    stays, for a provider that knows it.
    """
    content = submission.content
    document = content.documents.get(Channel.EMAIL)
    if document is None or "style_class" not in document:
        return submission
    wrapper = classes.get(str(document["style_class"]))
    if wrapper is None:
        return StyleRefused("no style class of this broker has this name")
    if not wrapper:
        return submission
    if "html" not in document:
        return StyleRefused("goes around html, and there is none")
    # In a content with placeholders, a dollar that is no place for a value is written as two.
    before, _, after = (wrapper.replace("$", "$$") if content.names else wrapper).partition(
        BODY.replace("$", "$$") if content.names else BODY
    )
    dressed = {name: said for name, said in document.items() if name != "style_class"}
    dressed["html"] = f"{before}{document['html']}{after}"
    return replace(
        submission, content=replace(content, documents={**content.documents, Channel.EMAIL: dressed})
    )
