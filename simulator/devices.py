"""What people hold in their hands: user agents and the context an SDK derives from them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Device:
    share: int
    is_mobile: bool
    context: dict[str, object]


def _web(share: int, kind: str, system: str, agent: str) -> Device:
    context = {"userAgent": agent, "device": {"type": kind}, "os": {"name": system}}
    return Device(share, kind != "desktop", context)


def _app(share: int, kind: str, system: str, version: str, model: str) -> Device:
    context = {
        "app": {"name": "Northbound", "version": "5.2.0"},
        "device": {"type": kind, "model": model},
        "os": {"name": system, "version": version},
        "library": {"name": f"analytics-{'swift' if kind == 'ios' else 'kotlin'}"},
    }
    return Device(share, True, context)


DEVICES = (
    _web(24, "ios", "iOS", "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 "
         "(KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1"),
    _web(20, "android", "Android", "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 "
         "(KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36"),
    _web(22, "desktop", "Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
         "(KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"),
    _web(12, "desktop", "macOS", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
         "(KHTML, like Gecko) Version/26.1 Safari/605.1.15"),
    _web(4, "desktop", "Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    _app(10, "ios", "iOS", "26.1", "iPhone17,1"),
    _app(8, "android", "Android", "16", "Pixel 10"),
)  # fmt: skip
IS_MOBILE = np.array([device.is_mobile for device in DEVICES])
_EDGES = np.cumsum([device.share for device in DEVICES])[:-1] / sum(device.share for device in DEVICES)


def pick(uniforms: np.ndarray) -> np.ndarray:
    """Positions in `DEVICES` for numbers in [0, 1)."""
    return np.searchsorted(_EDGES, uniforms, side="right").astype(np.int8)
