# ruff: noqa: RUF001 - letters and commas of other languages are what they look like
"""What recipients are told about the wish that is in force, by language: data, and nothing else.

`{whose}` is who asks, as "Acme: ", or nothing. STOP, START and HELP are said in these words in every language, as they are
understood in every one (`domain.consent_words`). Where a language has its letters in the alphabet of plain SMS, its texts
make do with that, so that they are one part.
"""

from collections.abc import Mapping

from broker.domain.consent import Consent

IN, OUT, OUT_GLOBALLY, UNSET = (
    Consent.OPTED_IN,
    Consent.OPTED_OUT,
    Consent.OPTED_OUT_GLOBALLY,
    Consent.UNSET,
)

ANSWERS: Mapping[str, Mapping[Consent, str]] = {
    "en": {
        IN: "{whose}you will get messages again. Reply STOP to end them, HELP for help.",
        OUT: "{whose}you will get no more messages. Reply START to get them again.",
        OUT_GLOBALLY: (
            "{whose}you will get no more messages. To get them again, text HELP or START to us from this phone."
        ),
        UNSET: "{whose}reply STOP to get no more messages, START to get them again.",
    },
    "fr": {
        IN: "{whose}vous recevrez de nouveau nos messages. Répondez STOP pour y mettre fin, HELP pour de l'aide.",
        OUT: "{whose}vous ne recevrez plus de messages. Répondez START pour en recevoir de nouveau.",
        OUT_GLOBALLY: (
            "{whose}vous ne recevrez plus de messages. Pour en recevoir de nouveau, envoyez HELP ou START de ce"
            " téléphone."
        ),
        UNSET: "{whose}répondez STOP pour ne plus recevoir de messages, START pour en recevoir de nouveau.",
    },
    "es": {
        IN: "{whose}desde ahora recibe mensajes otra vez. Responda STOP para terminar, HELP para ayuda.",
        OUT: "{whose}ya no recibe mensajes. Responda START para recibirlos otra vez.",
        OUT_GLOBALLY: (
            "{whose}ya no recibe mensajes. Para recibirlos otra vez, mande HELP o START desde este aparato."
        ),
        UNSET: "{whose}responda STOP para no recibir mensajes, START para recibirlos otra vez.",
    },
    "pt": {
        IN: "{whose}volta a receber mensagens. Responda STOP para terminar, HELP para ajuda.",
        OUT: "{whose}deixa de receber mensagens. Responda START para voltar a receber.",
        OUT_GLOBALLY: (
            "{whose}deixa de receber mensagens. Para voltar a receber, envie HELP ou START deste telefone."
        ),
        UNSET: "{whose}responda STOP para deixar de receber mensagens, START para voltar a receber.",
    },
    "de": {
        IN: "{whose}Sie erhalten wieder Nachrichten. Antworten Sie STOP zum Abmelden, HELP für Hilfe.",
        OUT: "{whose}Sie erhalten keine Nachrichten mehr. Antworten Sie START, um wieder welche zu erhalten.",
        OUT_GLOBALLY: (
            "{whose}Sie erhalten keine Nachrichten mehr. Um wieder welche zu erhalten, senden Sie HELP oder START"
            " von hier."
        ),
        UNSET: "{whose}antworten Sie STOP, um keine Nachrichten mehr zu erhalten, START für neue.",
    },
    "nl": {
        IN: "{whose}u ontvangt weer berichten. Antwoord STOP om te stoppen, HELP voor hulp.",
        OUT: "{whose}u ontvangt geen berichten meer. Antwoord START om ze weer te ontvangen.",
        OUT_GLOBALLY: (
            "{whose}u ontvangt geen berichten meer. Stuur HELP of START vanaf deze telefoon om ze weer te ontvangen."
        ),
        UNSET: "{whose}antwoord STOP om geen berichten meer te ontvangen, START om ze weer te ontvangen.",
    },
    "it": {
        IN: "{whose}riceverà di nuovo messaggi. Risponda STOP per interromperli, HELP per assistenza.",
        OUT: "{whose}non riceverà più messaggi. Risponda START per riceverli di nuovo.",
        OUT_GLOBALLY: (
            "{whose}non riceverà più messaggi. Per riceverli di nuovo, invii HELP o START da questo telefono."
        ),
        UNSET: "{whose}risponda STOP per non ricevere più messaggi, START per riceverli di nuovo.",
    },
    "pl": {
        IN: "{whose}znowu będziesz otrzymywać wiadomości. Odpowiedz STOP, aby zakończyć, HELP, aby uzyskać pomoc.",
        OUT: "{whose}nie będziesz już otrzymywać wiadomości. Odpowiedz START, aby znowu je otrzymywać.",
        OUT_GLOBALLY: (
            "{whose}nie będziesz już otrzymywać wiadomości. Aby znowu je otrzymywać, wyślij HELP lub START z tego"
            " telefonu."
        ),
        UNSET: "{whose}odpowiedz STOP, aby nie otrzymywać wiadomości, START, aby znowu je otrzymywać.",
    },
    "sv": {
        IN: "{whose}du får meddelanden igen. Svara STOP för att avsluta, HELP för hjälp.",
        OUT: "{whose}du får inga fler meddelanden. Svara START för att få dem igen.",
        OUT_GLOBALLY: (
            "{whose}du får inga fler meddelanden. Skicka HELP eller START från den här telefonen för att få dem igen."
        ),
        UNSET: "{whose}svara STOP för att inte få fler meddelanden, START för att få dem igen.",
    },
    "da": {
        IN: "{whose}du får beskeder igen. Svar STOP for at stoppe dem, HELP for hjælp.",
        OUT: "{whose}du får ikke flere beskeder. Svar START for at få dem igen.",
        OUT_GLOBALLY: (
            "{whose}du får ikke flere beskeder. Send HELP eller START fra denne telefon for at få dem igen."
        ),
        UNSET: "{whose}svar STOP for ikke at få flere beskeder, START for at få dem igen.",
    },
    "nb": {
        IN: "{whose}du får meldinger igjen. Svar STOP for å avslutte, HELP for hjelp.",
        OUT: "{whose}du får ikke flere meldinger. Svar START for å få dem igjen.",
        OUT_GLOBALLY: (
            "{whose}du får ikke flere meldinger. Send HELP eller START fra denne telefonen for å få dem igjen."
        ),
        UNSET: "{whose}svar STOP for ikke å få flere meldinger, START for å få dem igjen.",
    },
    "fi": {
        IN: "{whose}saat jälleen viestejä. Vastaa STOP lopettaaksesi, HELP saadaksesi apua.",
        OUT: "{whose}et saa enää viestejä. Vastaa START saadaksesi niitä jälleen.",
        OUT_GLOBALLY: (
            "{whose}et saa enää viestejä. Saat niitä jälleen, kun lähetät HELP tai START tästä puhelimesta."
        ),
        UNSET: "{whose}vastaa STOP, jos et halua enää viestejä, START saadaksesi niitä jälleen.",
    },
    "tr": {
        IN: "{whose}yeniden mesaj alacaksınız. Durdurmak için STOP, yardım için HELP yazın.",
        OUT: "{whose}artık mesaj almayacaksınız. Yeniden almak için START yazın.",
        OUT_GLOBALLY: (
            "{whose}artık mesaj almayacaksınız. Yeniden almak için bu telefondan HELP veya START gönderin."
        ),
        UNSET: "{whose}mesaj almamak için STOP, yeniden almak için START yazın.",
    },
    "ru": {
        IN: "{whose}вы снова будете получать сообщения. Ответьте STOP, чтобы отказаться, HELP для справки.",
        OUT: "{whose}вы больше не будете получать сообщения. Ответьте START, чтобы получать их снова.",
        OUT_GLOBALLY: (
            "{whose}вы больше не будете получать сообщения. Чтобы получать их снова, отправьте HELP или START с этого"
            " телефона."
        ),
        UNSET: "{whose}ответьте STOP, чтобы не получать сообщения, START, чтобы получать их снова.",
    },
    "el": {
        IN: "{whose}θα λαμβάνετε ξανά μηνύματα. Απαντήστε STOP για διακοπή, HELP για βοήθεια.",
        OUT: "{whose}δεν θα λαμβάνετε άλλα μηνύματα. Απαντήστε START για να τα λαμβάνετε ξανά.",
        OUT_GLOBALLY: (
            "{whose}δεν θα λαμβάνετε άλλα μηνύματα. Για να τα λαμβάνετε ξανά, στείλτε HELP ή START από αυτό το τηλέφωνο."
        ),
        UNSET: "{whose}απαντήστε STOP για να μη λαμβάνετε μηνύματα, START για να τα λαμβάνετε ξανά.",
    },
    "ja": {
        IN: "{whose}メッセージの配信を再開します。停止はSTOP、ヘルプはHELPと返信してください。",
        OUT: "{whose}今後メッセージは配信されません。再開するにはSTARTと返信してください。",
        OUT_GLOBALLY: (
            "{whose}今後メッセージは配信されません。再開するには、この電話からHELPまたはSTARTと送信してください。"
        ),
        UNSET: "{whose}配信停止はSTOP、再開はSTARTと返信してください。",
    },
    "zh": {
        IN: "{whose}您将重新收到我们的消息。回复STOP退订，回复HELP获取帮助。",
        OUT: "{whose}您将不再收到消息。回复START可重新接收。",
        OUT_GLOBALLY: "{whose}您将不再收到消息。如需重新接收，请用此手机发送HELP或START。",
        UNSET: "{whose}回复STOP不再接收消息，回复START重新接收。",
    },
    "ko": {
        IN: "{whose}메시지를 다시 받게 됩니다. 중지하려면 STOP, 도움말은 HELP로 답장하세요.",
        OUT: "{whose}더 이상 메시지를 받지 않습니다. 다시 받으려면 START로 답장하세요.",
        OUT_GLOBALLY: (
            "{whose}더 이상 메시지를 받지 않습니다. 다시 받으려면 이 전화에서 HELP 또는 START를 보내세요."
        ),
        UNSET: "{whose}수신을 거부하려면 STOP, 다시 받으려면 START로 답장하세요.",
    },
    "ar": {
        IN: "{whose}ستصلك رسائلنا من جديد. أرسل STOP لإيقافها أو HELP للمساعدة.",
        OUT: "{whose}لن تصلك رسائل بعد الآن. أرسل START لتصلك من جديد.",
        OUT_GLOBALLY: "{whose}لن تصلك رسائل بعد الآن. لتصلك من جديد أرسل HELP أو START من هذا الهاتف.",
        UNSET: "{whose}أرسل STOP كي لا تصلك رسائل، وSTART لتصلك من جديد.",
    },
    "he": {
        IN: "{whose}הודעות יישלחו אליך שוב. להפסקה השב STOP, לעזרה השב HELP.",
        OUT: "{whose}לא יישלחו אליך עוד הודעות. לקבלתן שוב השב START.",
        OUT_GLOBALLY: "{whose}לא יישלחו אליך עוד הודעות. לקבלתן שוב שלח HELP או START מטלפון זה.",
        UNSET: "{whose}כדי לא לקבל הודעות השב STOP, לקבלתן שוב השב START.",
    },
}

LANGUAGE_OF_COUNTRY: Mapping[str, str] = {
    **dict.fromkeys(("BR", "PT", "AO", "MZ", "CV", "GW", "ST", "TL"), "pt"),
    **dict.fromkeys(("CN", "HK", "MO", "SG", "TW"), "zh"),
}
"""Whose word it is where several languages have it; elsewhere it is that of the first, Spanish or Japanese."""
