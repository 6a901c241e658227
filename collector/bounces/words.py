"""The words and codes of mail servers, by what they mean. To teach a new phrase, add it to the cause it names."""

import re

Table = tuple[tuple[str, re.Pattern[str]], ...]


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases))


# In order of weight: of a text that matches two, the first counts. Texts are compared in small letters.
CLEAR_WORDS: Table = (
    (
        "local_program",
        _any(
            r"\bprocmail:|command (?:died|failed)|(?:pipe|program|script|filter)\b[^.]{0,40}(?:returned failure|exited|failed)|couldn't create|can't create|mailer (?:error|died)"
        ),
    ),
    ("unverified", _any(r"unverified address|address verification (?:in progress|pending)")),
    (
        "greylisted",
        _any(
            r"gr[ae]y ?-?list", r"gr[ae]ylist", r"please (?:re)?try (?:again )?(?:in|after) \d+ (?:sec|min)"
        ),
    ),
    (
        "virus",
        _any(
            r"\bvirus(?:es)? (?:found|detected|infected|alert|was)",
            r"infected (?:with|by|message|mail)",
            r"(?:contains?|contained|detected|a|the|with) (?:a )?(?:virus|malware|worm\b|trojan)",
            r"malware",
            r"security reasons? .{0,40}attachment",
        ),
    ),
    (
        "authentication",
        _any(
            r"\bspf\b.{0,60}(?:fail|check|not|block|reject|record|valid|policy|authoriz|forbid|error)",
            r"(?:fail|reject|violat|due to|check|authenticat).{0,40}\b(?:spf|dkim|dmarc)\b",
            r"\b(?:dkim|dmarc)\b.{0,60}(?:fail|polic|reject|not|pass|check|evaluat|authentic|align)",
            r"sender policy framework",
            r"unauthenticated (?:mail|e-?mail|sender)|not authenticated, which",
            r"(?:openspf|dmarc)\.(?:org|net)",
            r"mail is likely (?:unsolicited|unauthenticated)",
        ),
    ),
    (
        "reverse_dns",
        _any(
            r"\bptr\b.{0,50}(?:record|required|lookup|not|missing|no )|(?:no|missing|without|have|invalid) (?:a )?(?:valid )?ptr",
            r"reverse[- ]?(?:dns|lookup|hostname|mapping|resolution)",
            r"\brdns\b",
            r"(?:cannot|can't|could not|unable to) (?:find|resolve) your (?:reverse )?(?:host|ip|address|name|dns)",
            r"cannot find your hostname",
            r"all mail servers must have a ptr",
            r"fcrdns|forward[- ]confirmed",
            r"client host rejected: cannot find",
        ),
    ),
    (
        "sender_refused",
        _any(
            r"(?:sender|from|return-path|mail from)(?: e-?mail)? (?:address|domain|host)?[^.;]{0,60}(?:does not exist|doesn't (?:exist|resolve)|not (?:exist|found|valid|verified|resolv\w+)|invalid|unresolv\w+|rejected|refused|denied|unknown)",
            r"domain of sender|verification failed for|sender (?:verif|domain|rejected|denied|not)|(?:invalid|unknown|bad|no such|unverified) (?:sender|return[- ]path|from)|verify (?:your )?sender|callout",
        ),
    ),
    (
        "blocked",
        _any(
            r"\b(?:dns[bw]?l|rbl|dnsbl|surbl|uribl|spamhaus|spamcop|barracuda(?:central)?|sorbs|abuseat|cbl|proofpoint|senderscore|invaluement|uceprotect|backscatterer|mailspike|truncate\.gbudb|nixspam|psbl)\b",
            r"(?:black|block|deny|poor|bad)[ -]?list(?!-)",
            r"\bip\b.{0,50}(?:is |was |has been |address )?(?:block|ban|listed|refus|denied|reject|not allowed|reputation)",
            r"(?:block|ban|refus|reject|denied|denying)\w* .{0,30}(?:your|this|client|sending|the)? ?\bip\b",
            r"(?:host|server|network|domain|address|sender|client)\b.{0,30} (?:is |was |has been |are )(?:temporarily |permanently |currently )?(?:blocked|banned|blacklisted|listed (?:in|on|at))",
            r"(?:poor|bad|low|sender|ip|domain|your) reputation|reputation (?:is|of|too|score|below|filter)",
            r"client host (?:rejected|blocked|\[[^]]*\] blocked)",
            r"blocked (?:by (?!(?:the )?(?:recipient|user))|using|for|because|due|from|on)|bann?ed (?:sending |sender )?(?:ip|host|address|domain)",
            r"connection (?:refused|rejected|denied|dropped|closed) (?:by|due to|because).{0,20}(?:policy|reputation|block|list)",
            r"(?:dynamic|residential|dial-?up|generic|dul|pbl).{0,25}(?:ip|address|host|range)",
            r"not (?:allowed|permitted|accepting) (?:to connect|mail from|connections? from|messages? from)",
            r"(?:refused|rejected|denied|no) (?:e?mail|access|connections?|messages?) from (?:your|this|the|\[?\d)",
            r"\b(?:in|bad|invalid|your) (?:he|eh)lo\b|\b(?:he|eh)lo (?:name|command|argument|host)|bad sender ip|bad (?:helo|host)|invalid helo|helo (?:command )?rejected",
            r"part of their network is on our block",
            r"messages? from .{0,60}weren't sent",
            r"too many (?:spam|complaint)s? ",
            r"email blocked|e-mail blocked|mail (?:was|is|has been) blocked",
        ),
    ),
    (
        "spam",
        _any(
            r"\bspam\b(?!-?(?:check|filter)\w* (?:passed|ok))",
            r"spammy|\bspam(?:assassin|-like|score|ming|mer)|unsolicited|\buce\b|\bube\b|bulk mail|junk ?mail",
            r"looks like (?:spam|bulk)|high probability of|probable spam",
            r"mail content (?:denied|rejected)|message content rejected|content (?:was )?(?:rejected|blocked|filter)",
            r"rejected (?:for|by|as) (?:content|anti|filter)|messages?[^.]{0,40}(?:blocked|rejected) by (?:content|filter)",
            r"identified as (?:junk|spam)|suspicious (?:content|message|mail)|phish",
        ),
    ),
    (
        "too_big",
        _any(
            r"(?:message|mail|e-mail|size|content|body|data|attachment|header)\w*[^.]{0,50}(?:too (?:big|large|long)|exceed\w*[^.]{0,35}(?:size|limit|maximum|length))",
            r"exceeds? (?:the )?(?:maximum |fixed |server'?s? |our |allowed |size )*(?:message|mail)? ?(?:size|length)",
            r"size limit|maximum (?:message|mail|allowed) ?size|message size|line (?:length|too long)|too (?:big|large) (?:message|mail)",
            r"larger than (?:the )?(?:current|maximum|system|allowed)|\bmesgtoobig\b|sizelimit|msg too big",
        ),
    ),
    (
        "mailbox_full",
        _any(
            r"quota",
            r"(?:mail ?box|inbox|mailfolder|mail ?drop|account|maildir|mail file|postfach|boite[^.]{0,20}|casella|buz[oó]n|spool)[^.]{0,40}(?:is |are |has |est |ist |now |already )?(?:full\b|pleine|piena|lleno|voll\b|exceed|over its|grown too)",
            r"full (?:mail ?box|inbox)",
            r"(?:insufficient|not enough|out of|no) (?:disk |disc |storage |system |mail )?(?:space|storage)",
            r"over (?:the )?(?:disk|storage|size|allowed|mailbox|message)[^.]{0,20}(?:limit|allocation|capacity|quota)",
            r"(?:exceed\w*|reached|over)[^.]{0,30}storage|storage (?:limit|allocation|exceeded)",
            r"too (?:many|much) (?:messages|mail|data)(?: (?:in|on|stored))|maximum (?:number of messages|capacity)",
            r"mailbox (?:would exceed|has reached|exceeded|size)",
            r"does not have enough|insufficient system storage|space shortage|disk full",
        ),
    ),
    (
        "rate_limited",
        _any(
            r"rate[- ]?limit|throttl|too (?:many|much) (?:\w+ ){0,3}(?:connections?|sessions?|messages?|mails?|e-?mails?|recipients?|requests?|concurrent|errors|commands|rcpt|invalid|unknown|hops)?",
            r"too (?:fast|quickly|frequent)|exceed\w*[^.]{0,40}(?:rate|connections?|messages? per|number of|hourly|daily|sending|max_)",
            r"(?:connections?|messages?|mail|recipients?|sending|hourly|daily|max\w*) (?:rate|frequency|limit|per)\b[^.]{0,20}(?:exceed|limit|reached|too)",
            r"slow down|come back later|excessive|deferred due to|connection limit|concurrent (?:connections|sessions)",
            r"(?:user|recipient|you are trying to contact)[^.]{0,40}receiving mail (?:too|at a rate)",
            r"message(?:s)? (?:rate|count) (?:too|exceed)|traffic (?:limit|volume)|unusual rate",
        ),
    ),
    (
        "mailbox_disabled",
        _any(
            r"(?:account|mail ?box|user|recipient|e-?mail|domain|address|alias|service|compte|customer|destination|konto|box)(?:['’\w<>@.:;,\"\[\]()-]|\s){0,60}?(?:disabled|deactivated|suspended|inactive|frozen|locked|blocked|expired|archiv[eé]|closed|not active(?! address)|dormant|cancell?ed|terminated|discontinued|is no longer used|gesperrt|d[eé]sactiv)",
            r"(?:disabled|deactivated|suspended|inactive|frozen|locked|expired|closed|not active) (?:due to inactivity |e-?mail )?(?:account|mail ?box|user|recipient|address|alias)",
            r"currently suspended|recipient suspend|vacationed|user is not active|due to inactivity|account not accessible",
            r"unavailable or access denied|administratively (?:disabled|locked)|out of service|not been activated|has not been paid",
            r"temporar\w+ (?:disabled|inactive|locked)",
        ),
    ),
    (
        "mailbox_moved",
        _any(
            r"(?:has|have) (?:been )?(?:moved|replaced|changed)(?! to (?:junk|spam|trash|quarantine))",
            r"no longer (?:with|works? (?:for|at|here)|at (?:this|our)|employed)|new (?:e-?mail )?address(?: is|:)",
            r"user (?:has )?(?:moved|left)|please (?:forward|try) <|recipient (?:has )?moved",
        ),
    ),
    (
        "filtered",
        _any(
            r"recipient(?:'s)? (?:preferences?|rules?|settings|policy|filter)|user rules|preferences? of (?:the )?recipient|refused? by (?:the )?(?:recipient|user|addressee)(?!'?s? (?:domain|server|host|mail|e-?mail|system))",
            r"(?:only|not|isn't|n't|no longer) accept(?:s|ing|ed)? (?:any |e-?)*(?:mail|messages?)(?: from (?:you|certain|specific|known|this sender|unknown))|only (?:accepts?|accepting) (?:e?-?mail|messages?)|has (?:restricted|limited) |refus\w+ to (?:receive|accept)|(?:blocked|rejected|refused) by (?:the )?(?:recipient|user|addressee)(?!'?s? (?:domain|server|host|mail|e-?mail|system))|resolver\.rst|this account is protected|not on (?:the |my )?(?:white ?list|allow)|permission to post|rejected by the domain filter|each of the following recipients was rejected",
        ),
    ),
    (
        "relay_denied",
        _any(
            r"relay(?:ing)?[^.]{0,30}(?:denied|not (?:allowed|permitted|authori[sz]ed)|prohibited|disallowed|rejected|forbidden|access|attempt|violation|restrict)",
            r"(?:unable|not (?:allowed|permitted|authorized|going)|cannot|can't|won't|will not|do(?:es)? not|doesn't|don't|refus\w*) (?:to )?relay",
            r"(?:not|isn't|no|in) (?:in )?(?:my |the )?(?:list of )?(?:allowed )?rcpthosts|not a (?:gateway|relay)|no relaying|relay not|\bopen relay|insecure mail relay|not local host|mail server requires authentication when|not an? (?:e-?mail )?gateway",
        ),
    ),
    (
        "host_takes_no_mail",
        _any(
            r"null ?mx|indicated no smtp service|\bmx is null|does ?n[o']t accept (?:any )?(?:e-?mail|mail)|do not accept (?:any )?(?:e-?mail|mail)|domain[^.]{0,30}not accept\w* (?:e?-?mail|any)|not accept mail|no mail (?:is )?accepted|accepts no mail|no mail exchanger",
            r"name server: \.: host not found|not accepting (?:network|any) (?:messages|mail)",
        ),
    ),
    (
        "host_unknown",
        _any(
            r"host (?:or domain )?(?:name )?(?:not found|unknown|not known)(?!,? ?try)(?!.{0,60}try again)",
            r"(?:unknown|no such|bad|invalid|illegal|nonexistent|non-existent|unresolv\w+) (?:destination |mail |relay |recipient |target |remote )?(?:domain|host)(?!\w)",
            r"(?:domain|host|hostname)[^.;]{0,60}(?:do(?:es)?(?: not|n't) (?:exist|resolve)|not found|unknown|must exist|couldn't be found|could not be found|is (?:invalid|not valid|unknown|not known))",
            r"nxdomain|name or service not known|unroutable|un-?route?able|unable to route|cannot route|can'?t route|not routable|no route to domain",
            r"(?:couldn't|could not|can't|cannot|unable to) (?:find|resolve|locate)[^.]{0,30}(?:host|domain|mx)(?!.{0,60}try again)",
            r"no (?:valid )?(?:mx|dns|a) (?:record|host|entry)|(?:mx|dns) records? (?:do|does|not)\b|mx records point to non-?existent",
            r"host \S+ not found(?!.{0,60}try again)|(?:domain|host)[^.;]{0,30}(?:is )?not reachable|dns (?:domain|error)[^.]{0,30}(?:not exist|invalid)|mail domain mentioned",
        ),
    ),
    (
        "mailbox_unknown",
        _any(
            r"(?:user|recipient|mail ?box|address|account|destinat\w+|person|addressee|local ?part|alias|username|userid|utente|usuario|utilisateur|empf[aä]nger|benutzer|nutzer|compte|konto|destinataire)s?\b(?:['’\w<>@.:;,\"\[\]()/=+*&%-]|\s){0,70}?(?:unknown|not (?:be )?(?:found|known|recogni[sz]ed|recogni[sz]e|exist\w*|listed|present|recogni[sz]ed|local|valid|ok\b|allowed here|verified|a valid|one of)|do(?:es)? ?n[o']t (?:exist|have|appear)|doesn't|non-?existent|invalid|inconnue?|introuvable|invalide|sconosciut\w+|desconocid\w+|unbekannt|n'existe pas|no existe|is not a (?:known|valid)|nicht (?:gefunden|bekannt)|couldn['’]t be found|could not be found|wasn['’]t found|undeliverable|isn't (?:in|a|found))",
            r"(?:unknown|no such|invalid|nonexistent|non-existent|no valid|bad|wrong|illegal|incorrect|unrecogni[sz]ed|inconnu|unbekannt\w*|obsolete|nessun|nonexist\w*|not a (?:valid|known)|no) (?:or \w+ )?(?:local |virtual |destination |e-?mail |mail |final |smtp |recipient |lotus notes |such |delivery |internet )*(?:user(?:id|name)?|recipient|mail ?box|address|account|person|alias|name|addressee|local ?part|rcpt|empf|utente|usuario|entity|member|directory entry)",
            r"no (?:mail ?box|account|one|users?|person) (?:here|by|with|at|available|of|named|known|exists?)|not (?:a |an )?(?:known |valid |active |local |our |existing )+(?:user|recipient|mail ?box|address|account|customer|member)",
            r"(?:not|isn't) (?:listed )?(?:in|on|found in) (?:the |our |my |public |domino |address |lotus |name |user |virtual )*(?:directory|address book|name & address|validrcptto|user database|passwd|database|list of users|aliases)",
            r"recipient address rejected\W*$|(?<!sender )(?<!from )\baddress rejected(?!:)|wasn['’]t found at|cuda_nsu|badrcptto|badrecipientto|validrcptto|recipnotfound|resolver\.adr|recipient (?:not found|address rejected: (?:user|unknown|undeliverable|invalid|access))",
            r"no longer (?:valid|accepts? (?:mail|e-?mail|message)|in (?:use|service)|exists?|available|active)",
            r"(?:unable to|cannot|could not|can't) find (?:an? |the |that )?(?:alias |local |such )?(?:user|recipient|mail ?box|alias|account)|user missing home|can't (?:accept|open) user|sorry, (?:no mailbox|user|i (?:couldn't|wasn't able to) find)|mail ?box (?:is )?(?:unavailable|not available|missing)|account (?:is )?(?:unavailable|not available)|user (?:is )?unavailable",
            r"not have an? (?:\S+ )?account|no account|not our customer|never existed|delete[d]? (?:account|user|mail ?box)|(?:account|user|mail ?box)[^.]{0,30}(?:been |was |is )?(?:deleted|removed)|undeliverable address|address unknown|no mailbox|mailbox not|user not|unknown (?:or illegal|to us)|does not exist|doesn't exist|dosn't exist|not exist\b|check (?:if|that|whether) (?:the )?(?:e-?mail )?address is (?:correct|valid)|incorrectly addressed",
            r"宛先.{0,20}(?:不明|見つかり|存在)|(?:ユーザ|アドレス|ディレクトリ).{0,20}(?:不明|見つかり|存在し|ありません)|用户不存在|收件人.{0,10}不存在|não (?:existe|encontrad\w+)|no (?:se )?encontr\w+|nie istnieje|не (?:существует|найден)",
        ),
    ),
)

# Words that describe the refusal rather than its cause; a specific code knows better.
VAGUE_WORDS: Table = (
    (
        "expired",
        _any(
            r"(?:delivery|message|retry|queue|mail)[^.]{0,30}(?:time ?out|timed out|expired|delayed|too long|giving up|retry limit)",
            r"timed? ?out|could not be delivered (?:for|within)|not (?:been )?(?:able to )?deliver\w* (?:for|within|after) |given up|giving up|retry time|too old|been in (?:the )?queue|still (?:being|trying|undelivered)|warning: message still|unable to deliver[^.]{0,40}(?:days|hours)|max\w* (?:retries|queue|age)",
        ),
    ),
    (
        "network",
        _any(
            r"connect(?:ion|ing|ed)?[^.]{0,60}(?:refused|reset|failed|lost|closed|dropped|broken|aborted|timed|interrupted|error|unsuccessful)|(?:refused|lost|no) connection",
            r"(?:host|network|server|destination)[^.]{0,30}(?:unreachable|not respond\w*|not reachable|is down|unavailable|busy)|no route to host|could ?n[o']t (?:connect|establish)|unable to connect|cannot connect|tls (?:is )?(?:required|handshake|not)|starttls|ssl|broken pipe|mail loop|loops? (?:back|detected)|routing loop|hop count|too many hops|name server|dns|(?:host|domain) not found.{0,60}try again|temporary lookup|temporarily (?:unable|unavailable)",
        ),
    ),
    (
        "system",
        _any(
            r"system[^.]{0,30}(?:error|not (?:capable|accepting)|trouble|problem|shut|overload|resources)|local (?:error|configuration|delivery)|internal (?:server )?error|configuration error|server (?:error|overloaded|too busy)|i/o error|read-only|unexpected (?:error|failure)|insufficient system|out of memory|service (?:not|un)available|mailer error|command (?:died|failed|output)|exit (?:status|code)|procmail|pipe to|lmtp|can't (?:create|open|write|exec)|resource temporarily|temporary (?:local )?(?:problem|failure|error)|try again later|load average",
        ),
    ),
    (
        "policy",
        _any(
            r"polic(?:y|ies)|not (?:allowed|permitted|authori[sz]ed)|access (?:denied|rejected)|denied|forbidden|prohibited|authentication|restrict|violat|security|suspicious|refuse|protocol|header|syntax|rfc ?\d|from (?:address|domain)|sender|rejected|blocked|not accept|transaction failed|message refused",
        ),
    ),
)

# RFC 3463 and what servers made of it. Only codes that name a cause; 5.0.0, 5.1.0, 5.5.0 and 5.7.1 do not.
BY_STATUS = {
    "1.1": "mailbox_unknown",
    "1.2": "host_unknown",
    "1.3": "mailbox_unknown",
    "1.4": "mailbox_unknown",
    "1.6": "mailbox_moved",
    "1.7": "sender_refused",
    "1.8": "sender_refused",
    "1.9": "relay_denied",
    "1.10": "host_takes_no_mail",
    "2.0": "filtered",
    "2.1": "mailbox_disabled",
    "2.2": "mailbox_full",
    "2.3": "too_big",
    "2.4": "mailing_list",
    "3.0": "system",
    "3.1": "system",
    "3.2": "system",
    "3.3": "system",
    "3.4": "too_big",
    "3.5": "system",
    "4.1": "network",
    "4.2": "network",
    "4.3": "network",
    "4.4": "host_unknown",
    "4.5": "rate_limited",
    "4.6": "network",
    "4.7": "expired",
    "4.14": "network",
    "4.310": "network",
    "4.312": "network",
    "4.316": "network",
    "5.2": "syntax",
    "5.3": "rate_limited",
    "5.4": "syntax",
    "6.0": "content",
    "6.1": "content",
    "6.2": "content",
    "6.3": "content",
    "6.7": "content",
    "7.0": "policy",
    "7.2": "policy",
    "7.3": "policy",
    "7.4": "policy",
    "7.5": "policy",
    "7.7": "policy",
    "7.8": "policy",
    "7.9": "policy",
    "7.13": "mailbox_disabled",
    "7.20": "authentication",
    "7.23": "authentication",
    "7.24": "authentication",
    "7.25": "reverse_dns",
    "7.26": "authentication",
    "7.27": "host_takes_no_mail",
    "7.28": "rate_limited",
    "7.29": "authentication",
}
BY_CODE = {
    "421": "rate_limited",
    "450": "mailbox_busy",
    "451": "system",
    "452": "system",
    "523": "too_big",
    "552": "mailbox_full",
    "556": "host_takes_no_mail",
}
