"""What mail programs do not show, judged by what the large ones (Gmail, Outlook, Apple Mail, Yahoo) do.

Only what breaks an email is listed. What merely degrades (rounded corners, dark mode) is not.
"""

import re

# Tag → what to write instead.
TAGS = {
    "script": "leave it out: no mail program runs it",
    "form": "link to a page with the form",
    "input": "link to a page with the form",
    "button": "use a link styled as a button: _shared/button",
    "select": "link to a page with the form",
    "textarea": "link to a page with the form",
    "iframe": "link to the page",
    "object": "link to the page",
    "embed": "link to the page",
    "video": "link a picture to the video",
    "audio": "link to the sound",
    "svg": "use a PNG or JPEG picture",
    "canvas": "use a PNG or JPEG picture",
    "link": "write the styles into <style> or the tags: style sheets are not loaded",
    "base": "write every link in full",
    "dialog": "show it in the flow of the email",
    "marquee": "show it standing still",
}

# Pattern of a CSS declaration or rule → what to write instead.
STYLES = {
    r"display\s*:\s*(?:inline-)?(?:flex|grid)\b": "use tables for columns",
    r"position\s*:\s*(?:absolute|fixed|sticky)\b": "use tables and padding",
    r"var\(\s*--": "write the value itself",
    r"(?:^|[;{\s])--[a-z]": "write the value itself instead of a custom property",
    r"calc\(": "write the value itself",
    r"(?:^|[;{\s])(?:animation|transition|transform)\s*:": "leave it out: Gmail and Outlook remove it",
    r"@import\b": "write the styles into the email",
    r"(?:^|[;{\s])clip-path\s*:": "use a picture of that form",
    r"(?:^|[;{\s])filter\s*:": "use a picture that looks like that",
}
_STYLES = [(re.compile(pattern, re.IGNORECASE), cure) for pattern, cure in STYLES.items()]

_TAG = re.compile(r"<([a-z][a-z0-9]*)\b", re.IGNORECASE)
_STYLE = re.compile(r'style="([^"]*)"|<style[^>]*>(.*?)</style>', re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r'\b(href|src)\s*=\s*["\']([^"\'{]+)["\']', re.IGNORECASE)
_SCHEMES = ("https://", "http://", "mailto:", "tel:", "#")

Found = list[tuple[int, str]]  # line and problem


def unsupported(html: str) -> Found:
    """Tags and styles in this source that mail programs drop, and links that lead nowhere."""
    tags = [
        (match.start(), f"<{match[1]}> does not work in mail programs: {TAGS[match[1].lower()]}")
        for match in _TAG.finditer(html)
        if match[1].lower() in TAGS
    ]
    links = [
        (match.start(), f"{match[1]} {match[2][:40]!r} is not a full web address: begin it with https://")
        for match in _LINK.finditer(html)
        if not match[2].lower().startswith(_SCHEMES)
    ]
    styles = [
        (match.start(group) + at, problem)
        for match in _STYLE.finditer(html)
        for group in (1, 2)
        if match[group]
        for at, problem in _in_css(match[group])
    ]
    return [(html.count("\n", 0, at) + 1, problem) for at, problem in sorted(tags + links + styles)]


def unsupported_css(css: str) -> Found:
    """The same for a style sheet."""
    return [(css.count("\n", 0, at) + 1, problem) for at, problem in _in_css(css)]


def _in_css(css: str) -> list[tuple[int, str]]:
    return [
        (match.start(), f"{match[0].strip(' ;{')!r} does not work in mail programs: {cure}")
        for pattern, cure in _STYLES
        for match in pattern.finditer(css)
    ]
