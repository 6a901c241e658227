"""The ids that stand on the wire, each a function of the seed and a number."""

_ODD = 0x9E3779B97F4A7C15  # odd, so multiplying by it modulo 2**64 gives every number another id


def _scramble(seed: int, number: int) -> int:
    return ((number + 1) * _ODD + seed * 0xD1342543DE82EF95) & 0xFFFFFFFFFFFFFFFF


def anonymous_id(seed: int, visitor: int) -> str:
    return f"a{_scramble(seed, visitor):016x}"


def session_id(seed: int, session: int) -> str:
    return f"s{seed}-{session}"


def page_view_id(seed: int, page_view: int) -> str:
    return f"pv{seed}-{page_view:010d}"


def cart_id(seed: int, visitor: int, number: int) -> str:
    return f"cart{seed}-{visitor}-{number}"


def order_id(seed: int, page_view: int) -> str:
    return f"order{seed}-{page_view}"


def message_id(seed: int, uid: int) -> str:
    return f"m{seed}-{uid:010d}"
