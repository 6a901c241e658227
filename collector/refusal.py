"""Why something was not accepted: a code for machines and a sentence for people."""


class Refused(ValueError):
    """One event cannot be used; it goes to quarantine and its neighbours go on."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class BadRequest(Refused):
    """The request as a whole cannot be used; `status` is the HTTP answer."""

    def __init__(self, code: str, sentence: str, status: int = 400) -> None:
        super().__init__(code, sentence)
        self.status = status
