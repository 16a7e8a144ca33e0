"""How ZoomConnect counts a text: GSM-7 where every character is in it, 160 to an SMS, otherwise 70."""

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("^{}\\[~]|€\f")
GSM7_SIZES = (160, 153)
UNICODE_SIZES = (70, 67)
LENGTH_MAX = {"GSM7": 1_530, "UNICODE": 670}


def encoding(text: str) -> str:
    """GSM7, or UNICODE where one character is not in it."""
    return "GSM7" if set(text) <= GSM7 | EXTENSION else "UNICODE"


def length(text: str) -> int:
    """Characters as they count against the limit: those of the extension twice, in UNICODE by UTF-16 units."""
    if encoding(text) == "GSM7":
        return len(text) + sum(character in EXTENSION for character in text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parts(text: str) -> int:
    """How many SMS a text takes; one for an empty one."""
    single, joined = GSM7_SIZES if encoding(text) == "GSM7" else UNICODE_SIZES
    return 1 if length(text) <= single else -(-length(text) // joined)


def analysis(text: str) -> dict[str, object]:
    """The full report."""
    return {
        "messageCreditCost": float(parts(text)),
        "messageEncoding": encoding(text),
        "messageLength": length(text),
        "messageLengthWithinMaximumAllowed": length(text) <= LENGTH_MAX[encoding(text)],
        "numberOfMessages": parts(text),
    }
