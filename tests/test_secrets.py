import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from cronny.errors import SettingsError
from cronny.secrets import API_KEY_PREFIX, KeyRing, Unsealable, hash_key, new_api_key, new_key
from cronny.settings import Settings

OLD, NEW = new_key(), new_key()
RING = KeyRing(f"{NEW},{OLD}")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.binary(), TEXT)
def test_what_was_sealed_opens_in_its_context(plaintext: bytes, context: str) -> None:
    assert RING.open(RING.seal(plaintext, context), context) == plaintext


@given(TEXT, TEXT)
def test_it_opens_in_no_other_context(mine: str, other: str) -> None:
    if mine == other:
        other += "x"
    with pytest.raises(Unsealable):
        RING.open(RING.seal(b"secret", mine), other)


def test_no_two_seals_are_alike() -> None:
    assert len({RING.seal(b"secret", "x") for _ in range(100)}) == 100


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_bit_is_noticed(index: int, change: int) -> None:
    key_id, _, encoded = RING.seal(b"some secret", "x").partition(".")
    data = bytearray(base64.urlsafe_b64decode(encoded))
    data[index % len(data)] ^= change
    with pytest.raises(Unsealable):
        RING.open(f"{key_id}.{base64.urlsafe_b64encode(data).decode()}", "x")


@given(TEXT | st.text().map(lambda text: f"{RING.newest}.{text}"))
def test_rubbish_does_not_open(text: str) -> None:
    with pytest.raises(Unsealable):
        RING.open(text, "x")


def test_a_seal_opens_under_no_other_key_with_the_same_id() -> None:
    impostor = KeyRing(f"{NEW.partition(':')[0]}:{OLD.partition(':')[2]}")
    with pytest.raises(Unsealable):
        impostor.open(RING.seal(b"secret", "x"), "x")


def test_a_seal_cannot_be_passed_off_as_another_keys() -> None:
    same = OLD.partition(":")[2]
    ring = KeyRing(f"a:{same},b:{same}")
    sealed = ring.seal(b"secret", "x")
    with pytest.raises(Unsealable):
        ring.open("b" + sealed.removeprefix("a"), "x")


def test_rotation_seals_with_the_newest_and_opens_with_all() -> None:
    before = KeyRing(OLD).seal(b"secret", "x")
    after = RING.seal(RING.open(before, "x"), "x")
    assert (RING.is_current(before), RING.is_current(after)) == (False, True)
    with pytest.raises(Unsealable, match="which is not in the ring"):
        KeyRing(OLD).open(after, "x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "k1",
        "k1:",
        "k1:c2hvcnQ=",
        f"k1:{'A' * 44}",
        f"bad id:{OLD.partition(':')[2]}",
        f":{OLD.partition(':')[2]}",
        f"{OLD},{OLD}",
        f"{OLD},{OLD.partition(':')[0]}:{NEW.partition(':')[2]}",
        f"{'k' * 33}:{OLD.partition(':')[2]}",
        "k1:ü",
    ],
)
def test_keys_that_are_none_are_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        KeyRing(text)
    assert not any(len(part) > 8 and part in str(caught.value) for part in text.replace(":", ",").split(","))


def test_both_alphabets_of_base64_are_read() -> None:
    key = bytes([251, 255, 254] * 10 + [1, 2])
    plain = KeyRing(f"k:{base64.b64encode(key).decode()}")
    for_urls = KeyRing(f" k:{base64.urlsafe_b64encode(key).decode()} ,")
    assert for_urls.open(plain.seal(b"secret", "x"), "x") == b"secret"


def test_the_keys_come_from_the_setting_or_the_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(SettingsError, match="no secret keys"):
        settings.secret_key_text()
    settings.key_file.write_text(OLD + "\n")
    assert settings.secret_key_text().get_secret_value() == OLD
    assert Settings(data_dir=tmp_path, secret_keys=SecretStr(NEW)).secret_key_text() == SecretStr(NEW)


def test_keys_are_not_shown() -> None:
    shown = f"{Settings(secret_keys=SecretStr(OLD))!r} {KeyRing(OLD)!r} {vars(KeyRing(OLD))}"
    assert OLD.partition(":")[2] not in shown


def test_api_keys_are_long_random_and_known_by_their_prefix() -> None:
    keys = {new_api_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith(API_KEY_PREFIX) and len(key) >= 43 for key in keys)


@given(st.text())
def test_a_hash_is_stable_and_says_nothing(api_key: str) -> None:
    hashed = hash_key(api_key)
    assert (hashed, len(hashed)) == (hash_key(api_key), 64)
    assert not api_key or hashed != hash_key(api_key + "x")
