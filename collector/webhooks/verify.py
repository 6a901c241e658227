"""Which provider signs how."""

from collector.webhooks.signatures.base import Scheme
from collector.webhooks.signatures.digests import MailerSend, Mandrill, UnisenderGo
from collector.webhooks.signatures.mailgun import Mailgun
from collector.webhooks.signatures.postal import Postal
from collector.webhooks.signatures.sendgrid import SendGrid
from collector.webhooks.signatures.shared_secret import SharedSecret
from collector.webhooks.signatures.sns import Fetch, Sns
from collector.webhooks.signatures.standard import StandardWebhooks


def schemes(fetch: Fetch | None = None) -> dict[str, Scheme]:
    """By provider. `fetch` gets Amazon's certificates."""
    shared = SharedSecret()
    return {
        "amazon_ses": Sns(fetch),
        "bounce_mail": StandardWebhooks(),
        "brevo": shared,
        "mailersend": MailerSend(),
        "mailgun": Mailgun(),
        "mailjet": shared,
        "mandrill": Mandrill(),
        "postal": Postal(),
        "postmark": shared,
        "resend": StandardWebhooks(),
        "sendgrid": SendGrid(),
        "sparkpost": shared,
        "unisender_go": UnisenderGo(),
    }
