"""The words by which a recipient says STOP, START or HELP, by language: data, and nothing else.

A word is here only where a whole message of it can mean nothing else. So "yes" is not among those that mean START
though some systems read it so: it is how people answer questions. How a message is compared with these is said in
`domain.consent_keywords`.

Sources:
- English STOP words: 47 CFR 64.1200(a)(10) of the FCC (stop, quit, end, revoke, opt out, cancel, unsubscribe); STOPALL
  and "STOP ALL" from what Twilio and Telnyx answer to by default; REMOVE and TD from the list of words that
  AWS End User Messaging requires in the United States and Canada.
- START, UNSTOP and INFO: Twilio's and Telnyx's defaults. HELP: the CTIA Messaging Principles, and Group Texting's
  code -104 ("text HELP or Your Keyword").
- ARRET and AIDE: Canada's short code rules (CWTA, txt.ca), which ask for both in French.
- Other languages: no rule that we know of names them. They are the same verbs as people are told to write them, and
  left out where a whole message of one is likely to mean something else, there or in another language.
"""

from collections.abc import Mapping

STOP_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": ("stop", "quit", "end", "revoke", "optout", "opt out", "cancel", "unsubscribe", "remove", "td"),
    "fr": ("arrêt", "arrêter", "désabonner", "désinscription"),
    "es": ("alto", "parar", "baja", "cancelar"),
    "pt": ("parar", "sair", "cancelar", "remover"),
    "de": ("stopp", "abmelden", "abbestellen"),
    "nl": ("stoppen", "afmelden", "uitschrijven"),
    "it": ("ferma", "annulla", "disiscrivi"),
    "pl": ("koniec", "rezygnuję"),
    "sv": ("stoppa", "avsluta", "avregistrera"),
    "da": ("afmeld",),
    "nb": ("avmeld",),
    "fi": ("lopeta",),
    "tr": ("iptal",),
    "ru": ("стоп",),
    "el": ("στοπ", "διακοπή"),
    "ja": ("停止", "配信停止", "ストップ"),
    "zh": ("停止", "退订", "退訂"),
    "ko": ("중지", "수신거부"),
    "ar": ("توقف", "إيقاف"),
    "he": ("הסר", "הפסק"),
}
"""Nothing more from this sender."""

STOP_ALL_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": ("stopall", "stop all", "end all", "cancel all", "unsubscribe all"),
}
"""Nothing more from any sender of the account."""

START_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": ("start", "unstop", "optin", "opt in", "subscribe"),
    "fr": ("commencer", "reprendre"),
    "es": ("empezar", "iniciar"),
    "pt": ("começar", "iniciar"),
    "de": ("starten", "anmelden"),
    "nl": ("beginnen", "aanmelden"),
    "it": ("inizia", "avvia"),
    "pl": ("wznów",),
    "sv": ("starta",),
    "ru": ("старт",),
    "ja": ("開始", "配信再開"),
    "zh": ("开始", "開始", "订阅", "訂閱"),
    "ko": ("시작",),
}
"""Messages from this sender again."""

HELP_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": ("help", "info"),
    "fr": ("aide",),
    "es": ("ayuda",),
    "pt": ("ajuda",),
    "de": ("hilfe",),
    "it": ("aiuto",),
    "pl": ("pomoc",),
    "sv": ("hjälp",),
    "ru": ("помощь",),
    "ja": ("ヘルプ",),
    "zh": ("帮助", "幫助"),
    "ko": ("도움말",),
}
"""What is this?"""
