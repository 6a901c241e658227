"""Inputs that broke somebody's pipeline once. (name, raw event, what must happen to it)

Expectations: a reason code means quarantined with it; `kept` means accepted and canonical.
"""

KEPT = "kept"


def event(properties: bytes = b"{}", **fields: bytes) -> bytes:
    """A track call with raw JSON spliced in."""
    members = {
        "type": b'"track"',
        "event": b'"Poison"',
        "userId": b'"u1"',
        "messageId": b'"poison"',
        **fields,
    }
    members = {"properties": properties, **members}
    return b"{" + b",".join(b'"%b":%b' % (key.encode(), value) for key, value in members.items()) + b"}"


def value(raw: bytes) -> bytes:
    """A track call with one property."""
    return event(b'{"v":' + raw + b"}")


def nested(opening: bytes, middle: bytes, closing: bytes, depth: int) -> bytes:
    return opening * depth + middle + closing * depth


def keys(count: int) -> bytes:
    return b"{" + b",".join(b'"k%d":1' % n for n in range(count)) + b"}"


DEPTH = {
    "arrays 30 deep": (value(nested(b"[", b"", b"]", 30)), KEPT),
    "arrays 31 deep": (value(nested(b"[", b"", b"]", 31)), "too_deep"),
    "arrays 1000 deep": (value(nested(b"[", b"", b"]", 1000)), "too_deep"),
    "arrays 10000 deep": (value(nested(b"[", b"", b"]", 10_000)), "too_deep"),
    "arrays 100000 deep": (value(nested(b"[", b"", b"]", 100_000)), "event_too_large"),
    "objects 30 deep": (value(nested(b'{"a":', b"1", b"}", 30)), KEPT),
    "objects 31 deep": (value(nested(b'{"a":', b"1", b"}", 31)), "too_deep"),
    "objects 3000 deep": (value(nested(b'{"a":', b"1", b"}", 3000)), "too_deep"),
    "deep but with brackets in strings": (value(nested(b'["}]",', b"1", b"]", 40)), "too_deep"),
    "wide and shallow": (value(b"[" + b",".join([b"[]"] * 200) + b"]"), KEPT),
    "brackets only in strings": (value(b'"' + b"[{" * 500 + b'"'), KEPT),
}
SIZE = {
    "256 keys": (event(keys(256)), KEPT),
    "257 keys": (event(keys(257)), "too_many_keys"),
    "3000 keys": (event(keys(3000)), "too_many_keys"),
    "many colons in one string": (value(b'"' + b":" * 2000 + b'"'), KEPT),
    "just small enough": (value(b'"' + b"x" * 32_000 + b'"'), KEPT),
    "too large": (value(b'"' + b"x" * 33_000 + b'"'), "event_too_large"),
    "too large and broken": (value(b'"\xff' + b"x" * 33_000 + b'"'), "event_too_large"),
    "a hundred kilobytes of space": (value(b" " * 100_000 + b"1"), "event_too_large"),
    "event name too long": (event(event=b'"' + b"n" * 257 + b'"'), "name_too_long"),
}
NUMBERS = {
    "NaN": (value(b"NaN"), "not_a_number"),
    "Infinity": (value(b"Infinity"), "not_a_number"),
    "-Infinity": (value(b"-Infinity"), "not_a_number"),
    "1e999": (value(b"1e999"), "number_out_of_range"),
    "-1e999": (value(b"-1e999"), "number_out_of_range"),
    "400 digits and a half": (value(b"1" * 400 + b".5"), "number_out_of_range"),
    "2^63-1": (value(b"9223372036854775807"), KEPT),
    "2^63": (value(b"9223372036854775808"), "integer_too_large"),
    "-2^63": (value(b"-9223372036854775808"), KEPT),
    "-2^63-1": (value(b"-9223372036854775809"), "integer_too_large"),
    "2^64": (value(b"18446744073709551616"), "integer_too_large"),
    "2^64 in a list": (value(b"[1,18446744073709551616]"), "integer_too_large"),
    "5000 digits": (value(b"7" * 5000), "integer_too_large"),
    "long fraction": (value(b"0.1234567890123456789012345"), KEPT),
    "long digits in a string": (value(b'"98765432109876543210"'), KEPT),
    "tiny": (value(b"1e-400"), KEPT),
    "minus zero": (value(b"-0"), KEPT),
    "leading zero": (value(b"007"), "invalid_json"),
    "plus": (value(b"+1"), "invalid_json"),
    "hexadecimal": (value(b"0x1F"), "invalid_json"),
    "dot first": (value(b".5"), "invalid_json"),
}
TEXT = {
    "escaped NUL": (value(b'"a\\u0000b"'), "nul_character"),
    "escaped NUL in a key": (event(b'{"a\\u0000":1}'), "nul_character"),
    "escaped backslash before u0000": (value(b'"a\\\\u0000b"'), KEPT),
    "raw NUL": (value(b'"a\x00b"'), "invalid_json"),
    "raw control byte": (value(b'"a\x01b"'), "invalid_json"),
    "raw newline": (value(b'"a\nb"'), "invalid_json"),
    "raw carriage return": (value(b'"a\rb"'), "invalid_json"),
    "raw tab": (value(b'"a\tb"'), "invalid_json"),
    "newlines between members": (
        b'{"type":"track",\n"event":"Poison",\r\n\t"userId":"u1","messageId":"poison"}',
        KEPT,
    ),
    "high surrogate": (value(b'"\\ud800"'), "lone_surrogate"),
    "low surrogate": (value(b'"\\udc00"'), "lone_surrogate"),
    "surrogates the wrong way round": (value(b'"\\udc00\\ud800"'), "lone_surrogate"),
    "surrogate in a key": (event(b'{"\\ud800":1}'), "lone_surrogate"),
    "surrogate in a dropped member": (event(integrations=b'{"\\ud800":1}'), "lone_surrogate"),
    "a whole pair": (value(b'"\\ud83d\\ude00"'), KEPT),
    "invalid UTF-8": (value(b'"\xff\xfe"'), "invalid_utf8"),
    "overlong slash": (value(b'"\xc0\xaf"'), "invalid_utf8"),
    "UTF-8 surrogate": (value(b'"\xed\xa0\x80"'), "invalid_utf8"),
    "cut character": (value(b'"\xe2\x82"'), "invalid_utf8"),
    "UTF-16": (value(b'"a\x00b\x00"'), "invalid_json"),
    "BOM inside": (b"\xef\xbb\xbf" + event(), "invalid_json"),
    "line separator": (value('"\u2028\u2029"'.encode()), KEPT),
    "right to left override": (value('"\u202e"'.encode()), KEPT),
    "zalgo": (value('"Z\u0351\u0343\u036d"'.encode()), KEPT),
    "bad escape": (value(b'"\\x41"'), "invalid_json"),
    "half an escape": (value(b'"\\u00"'), "invalid_json"),
    "SQL": (value(b'"x\'); drop table events; --"'), KEPT),
    "SQL in a key": (event(b'{"x\'); drop table events; --":1}'), KEPT),
    "template": (value(b'"{{7*7}}"'), KEPT),
    "markup": (value(b'"<img src=x onerror=1>"'), KEPT),
    "escaped markup": (value(b'"\\u003cscript\\u003e"'), KEPT),
    "formula": (value(b'"=HYPERLINK(1)"'), KEPT),
    "prototype": (event(b'{"__proto__":{"a":1},"constructor":1}'), KEPT),
    "empty key": (event(b'{"":1}'), KEPT),
}
STRUCTURE = {
    "duplicate user": (b'{"type":"track","event":"Poison","userId":"a","userId":"b"}', "duplicate_key"),
    "duplicate deep inside": (event(b'{"a":[{"b":1,"b":2}]}'), "duplicate_key"),
    "duplicate by escape": (event(b'{"a":1,"\\u0061":2}'), "duplicate_key"),
    "duplicate hidden by an escaped colon": (event(b'{"a":1,"a":"\\u003a\\u003a"}'), "duplicate_key"),
    "duplicate with equal values": (event(b'{"a":1,"a":1}'), "duplicate_key"),
    "duplicate in a dropped member": (event(integrations=b'{"a":1,"a":2}'), "duplicate_key"),
    "trailing comma": (b'{"type":"track","event":"Poison","userId":"u",}', "invalid_json"),
    "missing value": (b'{"type":}', "invalid_json"),
    "single quotes": (b"{'type':'track'}", "invalid_json"),
    "unquoted key": (b'{type:"track"}', "invalid_json"),
    "comment": (b'{"type":"track" /* hi */}', "invalid_json"),
    "wrong bracket": (b'{"type":["track"}}', "invalid_json"),
    "truth in Python": (value(b"True"), "invalid_json"),
    "undefined": (value(b"undefined"), "invalid_json"),
    "nothing at all": (b"", "invalid_json"),
    "null": (b"null", "not_an_object"),
    "a number": (b"7", "not_an_object"),
    "a string": (b'"track"', "not_an_object"),
    "an array": (b'[{"type":"track"}]', "not_an_object"),
    "an empty object": (b"{}", "unknown_type"),
    "unknown type": (event(type=b'"purchase"'), "unknown_type"),
    "type is a list": (event(type=b'["track"]'), "unknown_type"),
    "type is an object": (event(type=b"{}"), "unknown_type"),
    "type in capitals": (event(type=b'"TRACK"'), "unknown_type"),
    "posing as quarantine": (event(type=b'"quarantine"'), "unknown_type"),
    "forged arrival": (event(received_at=b'"1999-01-01"'), KEPT),
    "forged trust": (event(trust=b'"server"', source=b'"kairos"'), KEPT),
    "no name": (event(event=b"null"), "missing_event"),
    "blank name": (event(event=b'"  "'), "missing_event"),
    "name is a number": (event(event=b"7"), "invalid_event"),
    "properties are text": (event(b'"x"'), "invalid_properties"),
    "properties are a list": (event(b"[]"), "invalid_properties"),
    "properties are null": (event(b"null"), KEPT),
    "context is a number": (event(context=b"1"), "invalid_context"),
    "traits are a list": (event(type=b'"identify"', traits=b"[1]"), "invalid_traits"),
    "another batch inside": (event(b'{"batch":[{"type":"track"}]}'), KEPT),
}
IDS = {
    "nobody": (event(userId=b"null"), "no_identity"),
    "the user null": (event(userId=b'"null"'), "no_identity"),
    "the user undefined": (event(userId=b'"undefined"'), "no_identity"),
    "the user of spaces": (event(userId=b'"   "'), "no_identity"),
    "the user true": (event(userId=b"true"), "invalid_id"),
    "the user 1.5": (event(userId=b"1.5"), "invalid_id"),
    "the user as object": (event(userId=b'{"$ne":null}'), "invalid_id"),
    "the user as list": (event(userId=b'["a"]'), "invalid_id"),
    "ten kilobytes of user": (event(userId=b'"' + b"u" * 10_000 + b'"'), "id_too_long"),
    "user with a newline": (event(userId=b'"a\\nb"'), "invalid_id"),
    "user with an override": (event(userId='"a\u202eb"'.encode()), "invalid_id"),
    "user as integer": (event(userId=b"12345"), KEPT),
    "message id as object": (event(messageId=b"{}"), "invalid_id"),
    "message id null": (event(messageId=b'"null"'), KEPT),
    "alias without previous": (event(type=b'"alias"'), "missing_previous_id"),
    "alias of itself": (event(type=b'"alias"', previousId=b'"u1"'), KEPT),
    "group without group": (event(type=b'"group"'), "missing_group_id"),
}
TIMES = {
    "yesterday": (event(timestamp=b'"yesterday"'), "invalid_timestamp"),
    "true": (event(timestamp=b"true"), "invalid_timestamp"),
    "an object": (event(timestamp=b"{}"), "invalid_timestamp"),
    "year 294247": (event(timestamp=b'"294247-01-01T00:00:00Z"'), "invalid_timestamp"),
    "year 1": (event(timestamp=b'"0001-01-01T00:00:00+14:00"'), "invalid_timestamp"),
    "year 9999": (event(timestamp=b'"9999-12-31T23:59:59-14:00"'), "invalid_timestamp"),
    "1970": (event(timestamp=b'"1970-01-01T00:00:00Z"'), "invalid_timestamp"),
    "1e15": (event(timestamp=b"1e15"), "invalid_timestamp"),
    "negative": (event(timestamp=b"-5"), "invalid_timestamp"),
    "month 13": (event(timestamp=b'"2026-13-01T00:00:00Z"'), "invalid_timestamp"),
    "February 30": (event(timestamp=b'"2026-02-30T00:00:00Z"'), "invalid_timestamp"),
    "leap second": (event(timestamp=b'"2016-12-31T23:59:60Z"'), "invalid_timestamp"),
    "nanoseconds": (event(timestamp=b'"2026-11-23T10:00:00.123456789Z"'), KEPT),
    "future": (event(timestamp=b'"2099-01-01T00:00:00Z"'), KEPT),
    "sent in year 2100": (event(timestamp=b'"2026-11-23T10:00:00Z"', sentAt=b'"2199-01-01T00:00:00Z"'), KEPT),
    "sent by nonsense": (event(timestamp=b'"2026-11-23T10:00:00Z"', sentAt=b"[1]"), KEPT),
}
CORPUS = {**DEPTH, **SIZE, **NUMBERS, **TEXT, **STRUCTURE, **IDS, **TIMES}
