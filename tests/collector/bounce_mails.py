"""Mails that come back, as servers of many kinds write them; written from their documentation, not collected."""

RETURNED = """\
Return-Path: <shop@example.com>
Received: from a.example by b.example
To: ann@example.org
Message-ID: <d1.0123456789abcdef@shop.example>
Subject: Not about spam, quota or unknown users

spam spam user unknown quota exceeded
"""


def mail(
    body: str,
    subject: str = "Mail delivery failed: returning message to sender",
    sender: str = "Mail Delivery System <MAILER-DAEMON@mx.example.net>",
    *headers: str,
    is_null_sender: bool = True,
) -> bytes:
    """A plain mail to the shop."""
    lines = [
        *(["Return-Path: <>"] if is_null_sender else []),
        f"From: {sender}",
        "To: <shop@example.com>",
        f"Subject: {subject}",
        "Message-ID: <bounce-1@mx.example.net>",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def exim(reason: str) -> bytes:
    """Exim's text, with the whole message returned."""
    return mail(
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\n"
        "recipients. This is a permanent error. The following address(es) failed:\n\n"
        f"  ann@example.org\n    {reason}\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n" + RETURNED
    )


def sendmail(reason: str, transcript: str) -> bytes:
    """Sendmail's text."""
    return mail(
        "The original message was received at Thu, 29 Apr 2013 23:34:45 +0900\nfrom localhost [127.0.0.1]\n\n"
        "   ----- The following addresses had permanent fatal errors -----\n"
        f"<ann@example.org>\n    (reason: {reason})\n\n"
        f"   ----- Transcript of session follows -----\n{transcript}\n\n"
        "   ----- Original message follows -----\n" + RETURNED,
        "Returned mail: see transcript for details",
    )


def report(status: str, diagnostic: str, action: str = "failed", more: str = "") -> bytes:
    """A delivery report (RFC 3464); `more`: blocks of other recipients."""
    return (
        "From: MAILER-DAEMON@mx.example.net\r\nTo: shop@example.com\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMessage-ID: <bounce-2@mx.example.net>\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is the mail system at host mx.example.net.\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; ann@example.org\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {diagnostic}\r\n\r\n{more}"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n" + RETURNED.replace("\n", "\r\n") + "\r\n--b--\r\n"
    ).encode()


COMPLAINT = (
    "From: <fbl@isp.example>\r\nTo: abuse@example.com\r\nSubject: FW: Hi\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n\r\n"
    "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n"
    "Original-Rcpt-To: <ann@example.org>\r\n\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\n" + RETURNED.replace("\n", "\r\n") + "\r\n--b--\r\n"
).encode()

_RCPT = "SMTP error from remote mail server after RCPT TO:<ann@example.org>:\n    host mx.example.org [192.0.2.1]: "
_DATA = "SMTP error from remote mail server after end of data:\n    host mx.example.org [192.0.2.1]: "

# (mail, what it says); all about ann@example.org.
TEXTS: list[tuple[bytes, str]] = [
    (exim(_RCPT + "550 5.1.1 <ann@example.org>... User Unknown"), "hard"),
    (exim(_RCPT + "550 No such person at this address"), "hard"),
    (exim(_RCPT + "550 relay not permitted"), "soft"),
    (exim(_RCPT + "450 4.2.0 <ann@example.org>: Recipient address rejected: Greylisted: retry timeout exceeded"), "soft"),
    (exim(_DATA + "552 5.7.0 message looks like SPAM to me"), "soft"),
    (exim(_DATA + "550 unknown user"), "soft"),
    (exim("retry timeout exceeded"), "soft"),
    (exim("Unrouteable address"), "hard"),
    (exim("all relevant MX records point to non-existent hosts"), "hard"),
    (exim("an MX or SRV record indicated no SMTP service"), "hard"),
    (exim("lowest numbered MX record points to local host"), "soft"),
    (exim("mailbox is full (MTA-imposed quota exceeded while writing to file /var/mail/ann)"), "soft"),
    (exim('unknown local-part "ann" in domain "example.org"'), "hard"),
    (exim("Connection timed out: retry timeout exceeded"), "soft"),
    (exim("pipe to |/usr/bin/vacation returned failure: exit status 127"), "soft"),
    (
        sendmail(
            "550 5.1.1 <ann@example.org>... User unknown",
            "... while talking to mx.example.org.:\n>>> DATA\n<<< 550 5.1.1 <ann@example.org>... User unknown\n"
            "<<< 503 5.0.0 Need RCPT (recipient)",
        ),
        "hard",
    ),
    (sendmail("552 5.2.2 Mailbox full", ">>> RCPT To:<ann@example.org>\n<<< 552 5.2.2 Mailbox full\n554 5.0.0 Service unavailable"), "soft"),
    (sendmail("Can't create output", "procmail: Quota exceeded while writing\n550 5.0.0 <ann@example.org>... Can't create output"), "soft"),
    (sendmail("550 Host unknown", "550 5.1.2 <ann@example.org>... Host unknown (Name server: example.org: host not found)"), "hard"),
    (sendmail("451 4.3.0 temporary failure", "<<< 451 4.3.0 temporary failure\nMessage could not be delivered for 5 days"), "soft"),
    (
        mail(
            "   ----- The following addresses had transient non-fatal errors -----\n<ann@example.org>\n\n"
            "   ----- Transcript of session follows -----\n451 example.org: Name server timeout\n"
            "Warning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old",
            "Warning: could not send message for past 4 hours",
        ),
        "soft",
    ),
    (mail("The following recipients:\n\nann@example.org: 550 5.1.1 <ann@example.org>: User unknown in virtual mailbox table\n\nBelow is a copy of the original message:\n\n" + RETURNED), "hard"),
    (mail("Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<ann@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n" + RETURNED, "failure notice"), "hard"),
    (mail("was not delivered to:\n\n  ann@example.org\n\nbecause:\n\n  User ann (ann@example.org) not listed in Domino Directory\n", "DELIVERY FAILURE"), "hard"),
    (mail("Your message to <ann@example.org> couldn't be delivered.\nann wasn't found at example.org.\n", "Undeliverable: Hi", "Microsoft Outlook <postmaster@x.example>"), "hard"),
    (mail("** Message blocked **\n\nYour message to ann@example.org has been blocked.\n\nThe response from the remote server was:\n550 5.7.1 blocked by policy"), "soft"),
    (mail("Failed to deliver to 'ann@example.org'\nSMTP module(domain example.org) reports:\n recipient <ann@example.org> rejected: 550 unknown user account\n"), "hard"),
    (mail("Failed to deliver to '<ann@example.org>'\nLOCAL module(account ann) reports:\n account is full (quota exceeded)\n"), "soft"),
    (mail("The following message to <ann@example.org> was undeliverable.\n5.1.0 - Unknown address error 550-'5.7.1 Access denied'\n"), "soft"),
    (COMPLAINT, "complaint"),
]  # fmt: skip

# (status, diagnostic, what it says)
REPORTS: list[tuple[str, str, str]] = [
    ("5.1.1", "550 5.1.1 mailbox unavailable", "hard"),
    ("5.0.0", "550 Requested action not taken: mailbox unavailable", "hard"),
    ("4.2.0", "450 4.2.0 mailbox unavailable", "soft"),
    ("5.2.2", "552 5.2.2 Over quota", "soft"),
    ("5.1.1", "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", "hard"),
    (
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "hard",
    ),
    ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "hard"),
    ("5.7.606", "550 5.7.606 Access denied, banned sending IP [192.0.2.9]", "soft"),
    ("5.7.133", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", "soft"),
    ("5.7.1", "550 5.7.1 Unauthenticated email from x is not accepted due to domain's DMARC policy", "soft"),
    (
        "5.7.1",
        "554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org",
        "soft",
    ),
    (
        "5.4.4",
        "Host or domain name not found. Name service error for name=exmaple.org: Host not found",
        "hard",
    ),
    (
        "4.4.3",
        "Host or domain name not found. Name service error for name=x: Host not found, try again",
        "soft",
    ),
    ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", "soft"),
    ("5.1.6", "551 User has moved; please try <ann@new.example>", "hard"),
    (
        "5.0.0",
        "554 delivery error: dd This user doesn't have a yahoo.com account (ann@example.org) [0]",
        "hard",
    ),
    (
        "5.0.0",
        "554 30 Sorry, your message to ann@example.org cannot be delivered. This mailbox is disabled.",
        "soft",
    ),
    (
        "5.2.1",
        "550 5.2.1 The user you are trying to contact is receiving mail at a rate that is too high",
        "soft",
    ),
    ("5.0.0", "541 Recipient address does not accept mail from you", "soft"),
    ("5.0.0", "550 Invalid recipient ann@example.org", "hard"),
    ("5.0.0", "550 Unbekannter Benutzer: Empfänger unbekannt", "hard"),
    ("5.0.0", "550 Sender verify failed", "soft"),
    ("5.4.7", "5.4.7 - Delivery expired (message too old) 'timeout'", "soft"),
    ("5.0.0", "521 5.3.2 System not accepting network messages", "hard"),
]

# What large providers say, under whatever status the reporting server gave it.
REPORTS += [
    ("5.0.0", "550 4.4.7 QUEUE.Expired; message expired", "soft"),
    ("5.0.0", "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", "soft"),
    ("5.0.0", "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient", "soft"),
    ("5.0.0", "550 5.5.0 Requested action not taken: mailbox unavailable", "hard"),
    ("5.0.0", "554 5.2.0 STOREDRV.Deliver.Exception:QuotaExceededException", "soft"),
    ("5.0.0", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", "soft"),
    ("5.0.0", "550 5.1.1 Mailbox does not exist", "hard"),
    ("5.0.0", "550-5.1.1 The email account that you tried to reach does not exist. Please try", "hard"),
    ("5.0.0", "550-5.7.26 This mail has been blocked because the sender is unauthenticated", "soft"),
    (
        "5.0.0",
        "550-5.7.1 [192.0.2.1 12] Our system has detected that this message is likely unsolicited mail",
        "soft",
    ),
    ("5.0.0", "452-4.2.2 The recipient's inbox is out of storage space", "soft"),
    ("5.0.0", "550 #5.1.0 Address rejected.", "hard"),
    ("5.0.0", "554 Denied [CS] [a.b.c] (Mode: normal)", "soft"),
    ("5.0.0", "550 permanent failure for one or more recipients (ann@example.org:blocked)", "soft"),
    (
        "5.0.0",
        "550 permanent failure for one or more recipients (ann@example.org:550 5.1.1 no such user)",
        "hard",
    ),
    ("5.0.0", "421 RP-001 (BAY) The mail server IP connecting has exceeded the rate limit allowed", "soft"),
    (
        "5.0.0",
        "550 SC-001 (COL004) Unfortunately, messages from 192.0.2.1 weren't sent. Please contact your ISP",
        "soft",
    ),
    ("5.0.0", "550 OU-002 Mail rejected by Windows Live Hotmail for policy reasons", "soft"),
    (
        "5.0.0",
        "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com",
        "soft",
    ),
    (
        "5.0.0",
        "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
        "soft",
    ),
    ("5.0.0", "552 1 Requested mail action aborted, mailbox not found", "hard"),
    ("5.0.0", "550 5.4.300 Message expired -> 451 4.7.500 Server busy", "soft"),
    ("5.0.0", "550 5.4.312 Message expired, DNS query failed(ServerFailure)", "soft"),
    ("5.0.0", "550 5.4.310 DNS domain exmaple.org does not exist [Message=InfoDomainNonexistent]", "hard"),
    ("5.0.0", "550 mailbox is disabled", "soft"),
    (
        "5.0.0",
        "554 5.7.1 <ann@example.org>: Recipient address rejected: This account has been disabled or suspended",
        "soft",
    ),
    ("5.0.0", "550 JFE050005 http://mail.163.com spam", "soft"),
    ("5.0.0", "550 User not found: ann@example.org", "hard"),
    ("5.0.0", "550 User suspended", "soft"),
    ("5.0.0", "571 Delivery not authorized, message refused", "soft"),
    (
        "5.0.0",
        "550 Message was not accepted -- invalid mailbox. Local mailbox ann@example.org is unavailable: user not found",
        "hard",
    ),
    (
        "5.0.0",
        "550 Message was not accepted -- invalid mailbox.  Local mailbox ann@example.org is unavailable: account is disabled",
        "soft",
    ),
    (
        "5.0.0",
        "450 4.1.1 <ann@example.org>: Recipient address rejected: unverified address: connect to mx: Connection refused",
        "soft",
    ),
    (
        "5.0.0",
        "550 5.1.1 <ann@example.org>: Recipient address rejected: undeliverable address: User unknown",
        "hard",
    ),
    ("5.0.0", "501 5.5.4 Invalid domain name in HELO", "soft"),
    ("5.0.0", "550 Invalid HELO name (See RFC2821 4.1.1.1)", "soft"),
    ("5.0.0", "550 Verification failed for <shop@example.com>: Unrouteable address", "soft"),
    ("5.0.0", "550 Too many invalid recipients", "soft"),
    ("5.0.0", "550 Dynamic/Generic hosts not allowed", "soft"),
    ("5.0.0", "550 Blocked - see https://www.spamcop.net/bl.shtml?192.0.2.1", "soft"),
    ("5.0.0", "554 rejected due to virus", "soft"),
    ("5.0.0", "550 Bad HELO - Host impersonating [mx]", "soft"),
    ("5.0.0", "554 no valid recipients", "hard"),
    ("5.0.0", "550 unknown or illegal alias: ann@example.org", "hard"),
    ("5.0.0", "550 5.7.1 Our organization does not accept messages from unknown senders", "soft"),
    ("5.0.0", "550 Unable to find alias user ann", "hard"),
    ("5.0.0", "550 5.0.0 This user is no longer with the company", "hard"),
    ("5.0.0", "550 the account ann has been closed", "soft"),
    ("5.0.0", "550 Nutzer nicht gefunden", "hard"),
    ("5.0.0", "550 Le compte n'existe pas", "hard"),
    ("5.0.0", "550 La boîte mail est pleine", "soft"),
    ("5.0.0", "550 El usuario no existe", "hard"),
    ("5.0.0", "550 Casella piena", "soft"),
    ("5.0.0", "550 utente sconosciuto", "hard"),
]

# No bounces at all.
NOTHING: list[bytes] = [
    mail("I am out of the office. For urgent matters contact bob@example.org.", "Out of Office: Hi", "Ann <ann@example.org>", "Auto-Submitted: auto-replied"),
    mail("Ich bin nicht im Hause.", "Abwesenheitsnotiz: Hi", "Ann <ann@example.org>", "X-Autoreply: yes", is_null_sender=False),
    mail("Thank you, we will answer soon.", "Re: Hi [Ticket 123]", "support@example.org", "Auto-Submitted: auto-generated", is_null_sender=False),
    mail("Hello, when does my parcel arrive? Ann", "Re: your order", "ann@example.org", is_null_sender=False),
    mail("Please write to ann@new.example. The link said 404 error.", "Re: error in your link", "ann@example.org", is_null_sender=False),
    report("2.0.0", "250 ok", "relayed"),
    report("2.1.5", "250 ok", "delivered"),
    COMPLAINT.replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam"),
]  # fmt: skip
