import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import JsonValue

from activities.log import Log
from activities.masking import MASK, SHORTEST, Masker

SECRET = 'pä"ss/w+rd &<x>\\=?'
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*"))
SECRETS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*"), min_size=SHORTEST)


def texts(value: JsonValue) -> list[str]:
    match value:
        case dict():
            return [*value, *texts(list(value.values()))]
        case list():
            return [text for item in value for text in texts(item)]
    return [str(value)]


FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "json": lambda text: json.dumps(text)[1:-1],
    "json, not ascii": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "repr": lambda text: repr(text)[1:-1],
    "url": lambda text: quote(text, safe=""),
    "path": quote,
    "form": quote_plus,
    "lower url": lambda text: quote(text, safe="").lower(),
    "httpx": lambda text: str(httpx.URL("http://h/", params={"q": text})).partition("q=")[2],
    "html": html.escape,
    "json, upper case": lambda text: json.dumps(text)[1:-1].replace("00e4", "00E4"),
    "json of php": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_every_form(form: str) -> None:
    shown = FORMS[form](SECRET)
    masked = Masker([SECRET]).text(f"before {shown} after")
    assert MASK in masked
    assert shown.strip("=") not in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


@given(SECRETS, TEXT, TEXT)
def test_a_secret_never_survives(secret: str, before: str, after: str) -> None:
    masker = Masker([secret])
    assert secret not in masker.text(before + secret + after)
    value: JsonValue = {before: [after, {secret: secret}], "n": [before + secret + after]}
    assert not [text for text in texts(masker.value(value)) if secret in text]


@given(SECRETS, TEXT)
def test_nor_does_its_url_or_form(secret: str, name: str) -> None:
    masker = Masker([secret])
    for shown in (quote(secret, safe=""), quote(secret), urlencode({name: secret}).partition("=")[2]):
        assert shown not in masker.text(f"https://host/{shown}?q=1")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8), st.binary(max_size=5))
def test_nor_does_its_base64_at_any_place(secret: str, before: bytes) -> None:
    encoded = base64.b64encode(before + b":" + secret.encode() + b"!").decode()
    masked = Masker([secret]).text(encoded)
    rest = masked.partition(MASK)[0]
    assert MASK in masked
    assert len(rest) <= (len(before) + 1) * 8 // 6 + 1


@given(st.lists(SECRETS, max_size=4), TEXT)
def test_of_several_secrets_none_survives(secrets: list[str], between: str) -> None:
    masked = Masker(secrets).text(between.join(secrets))
    assume(not any(secret in MASK * 3 for secret in secrets))
    assert not [secret for secret in secrets if secret in masked]


def test_a_longer_secret_goes_before_one_inside_it() -> None:
    assert Masker(["pass", "password"]).text("my password") == f"my {MASK}"


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        (12345, 12345),
        (987654321, MASK),
        ("x987654321x", f"x{MASK}x"),
        ([{"987654321": ["987654321"]}], [{MASK: [MASK]}]),
    ],
)
def test_values_keep_their_shape(value: JsonValue, masked: JsonValue) -> None:
    assert Masker(["987654321"]).value(value) == masked


@pytest.mark.parametrize("secrets", [[], [""], ["abc"], ["\n\n"]])
def test_what_is_too_short_is_left(secrets: list[str]) -> None:
    assert Masker(secrets).value({"abc": ["abc", ""]}) == {"abc": ["abc", ""]}


def test_a_key_is_masked_line_by_line() -> None:
    pem = "-----BEGIN KEY-----\nMIGHAgEAMBMG\nByqGSM49AgEG\n-----END KEY-----\n"
    masked = Masker([pem]).text("line MIGHAgEAMBMG and ByqGSM49AgEG")
    assert masked == f"line {MASK} and {MASK}"


@pytest.mark.parametrize(
    "shown", ["/services/T0/B0/topsecretpart", "/services/T0/B0/topsecretpart?x=1", "topsecretpart"]
)
def test_the_path_of_a_secret_url_is_masked(shown: str) -> None:
    masked = Masker(["https://hooks.example.com/services/T0/B0/topsecretpart"]).text(f"POST {shown}: 404")
    assert "topsecretpart" not in masked


def test_the_host_of_a_secret_url_is_left() -> None:
    masker = Masker(["https://hooks.example.com/services/T0/B0/topsecretpart"])
    assert masker.text("hooks.example.com: refused") == "hooks.example.com: refused"


def test_a_masker_learns_one_secret_more() -> None:
    masker = Masker(["hunter2"])
    assert masker.also("sesame").text("hunter2 and sesame") == f"{MASK} and {MASK}"
    assert masker.text("sesame") == "sesame"


def test_what_a_stage_learns_is_masked_in_its_log_and_its_output() -> None:
    log = Log(Masker(["hunter2"]))
    log.conceal("sesame")
    log.write("hunter2 opens sesame")
    assert (log.text(), log.masker.value(["sesame"])) == (f"{MASK} opens {MASK}", [MASK])
