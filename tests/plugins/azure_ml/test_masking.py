"""No secret survives in a text, whatever its notation; everything else stays as it is."""

from __future__ import annotations

import json
import string
import traceback

import pytest
from azure.core import exceptions as core
from hypothesis import given
from hypothesis import strategies as st

from azure_ml import errors
from azure_ml.hook._translate import translated
from azure_ml.masking import masked, masked_values

SECRETS = st.builds(
    "{}{}".format,
    st.text(string.ascii_letters + string.digits + "+/", min_size=24, max_size=60),
    st.just("=="),
).filter(lambda text: not text.startswith("/"))
SIGNATURES = st.text(string.ascii_letters + string.digits + "%", min_size=8, max_size=60).filter(
    lambda text: text.strip(string.digits) != ""
)
TOKENS = st.builds(
    "eyJ{}.eyJ{}.{}".format,
    *[st.text(string.ascii_letters + string.digits + "-_", min_size=12, max_size=40) for _ in range(3)],
)
SIGNED = (
    "https://x.blob.core.windows.net/c/b?sv=2024-01-01&sp=r&sig={}",
    "https://x/b?sv=2024&amp;sp=r&amp;sig={}&amp;se=2026",
    "https://x/b?sig={}&se=2026",
    "sig={}",
    "(sig={})",
    "the SAS was 'sig={}'",
    '{{"url": "https://x/b?sv=2024\\u0026sig={}\\u0026se=2026"}}',
    "https://login/?to=https%3A%2F%2Fx%2Fb%3Fsv%3D2%26sig%3D{}",
    "SIG={}",
    "https://cdn/x?X-Amz-Signature={}&X-Amz-Date=2026",
    "https://cdn/x?Expires=1&Signature={}&Key-Pair-Id=K",
    "BlobEndpoint=https://x/;SharedAccessSignature=sv=2024&sig={};Other=1",
)
KEYED = (
    "AccountKey={}",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core.windows.net",
    "Endpoint=sb://x/;SharedAccessKeyName=root;SharedAccessKey={}",
    "InstrumentationKey={};IngestionEndpoint=https://x/",
    "Server=tcp:x;User ID=u;Password={};Encrypt=True",
    "AZURE_CLIENT_SECRET={}",
    "client_secret={}&grant_type=client_credentials",
    "grant_type=refresh_token&refresh_token={}",
    '{{"access_token": "{}", "expires_in": 3599}}',
    "{{'accessToken': '{}', 'tokenType': 'Bearer'}}",
    '{{"primaryKey":"{}","secondaryKey":"{}"}}',
    '{{"body": "{{\\"refresh_token\\":\\"{}\\"}}"}}',
    '{{"outer": "{{\\\\\\"client_secret\\\\\\": \\\\\\"{}\\\\\\"}}"}}',
    '{{"secretsType": "AccountKey", "key": 1, "accountKey": "{}"}}',
    '{{"connectionString": "{}"}}',
    '{{"token": "{}"}}',
    '{{"password": "{}',
    "Authorization: Bearer {}",
    "authorization: Basic {}",
    "{{'Authorization': 'Bearer {}', 'Accept': '*/*'}}",
    '{{"Authorization": "Bearer {}"}}',
    "(b'Authorization', b'Bearer {}')",
    "Authorization: SharedKey account:{}",
    "curl -H 'api-key: {}' https://x",
    "Ocp-Apim-Subscription-Key: {}",
    "X-IDENTITY-HEADER: {}",
    "x-functions-key: {}",
    "Set-Cookie: session={}; Path=/",
    "sent with Bearer {} to the service",
)
SHAPED = ("{}", "the token is {}.", "token={}", "x{{{}}}", "https://x/?t={}")


@pytest.mark.parametrize("shape", SIGNED)
@given(secret=SIGNATURES)
def test_no_signature_survives(shape: str, secret: str) -> None:
    assert secret not in masked(shape.format(secret))


@pytest.mark.parametrize("shape", KEYED)
@given(secret=SECRETS)
def test_no_key_survives(shape: str, secret: str) -> None:
    assert secret.strip("=") not in masked(shape.format(secret, secret))


@pytest.mark.parametrize("shape", SHAPED)
@given(secret=TOKENS)
def test_no_token_survives_even_without_a_name(shape: str, secret: str) -> None:
    text = masked(shape.format(secret))
    assert not any(part in text for part in secret.split("."))


@pytest.mark.parametrize("name", ["access_token", "client_secret", "accountKey", "password", "Authorization"])
@given(secret=st.text(min_size=8).filter(lambda text: text.strip() and text != "***" * 3))
def test_a_secret_of_any_characters_is_masked_in_json_which_stays_json(name: str, secret: str) -> None:
    read = json.loads(masked(json.dumps({name: f"Z{secret}", "after": [1]})))
    assert read["after"] == [1]
    if name != "Authorization":
        assert read[name] == "***"


@given(secret=SECRETS)
def test_a_login_in_a_url_is_masked(secret: str) -> None:
    word = secret.replace("/", "")
    assert word not in masked(f"cannot reach postgresql+psycopg2://airflow:{word}@postgres/airflow")


def test_a_private_key_is_masked() -> None:
    assert "MIIE" not in masked("-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----")


@given(text=st.text(st.characters(exclude_characters="=:@"), max_size=300))
def test_a_text_that_names_no_value_is_unchanged(text: str) -> None:
    if "eyJ" not in text and "hf_" not in text and "bearer" not in text.lower():
        assert masked(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The key to success: train on more data; sign off by Friday.",
        '{"messages": [{"role": "user", "content": "How do I design a token?"}], "key": "learning_rate"}',
        '{"pad_token": "<pad>", "eos_token": "</s>", "token": "Hello"}',
        "see https://ml.azure.com/runs/x?wsid=/subscriptions/1&tid=2#sig",
        "a rise of 3 % (sig=0.05), p=0.01",
        "design=modern; config=yes",
        "Cannot read the secret: permission denied",
        "Bearer authentication is required",
        "primary key constraint of the table; 2026-01-01T00:00:00 user@example.com",
        "learning_rate=0.001 lora_alpha=128 max_tokens=200 num_tokens: 12 key=value",
        "assistant: The password must be long.",
    ],
)
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert masked(text) == text


@given(text=st.lists(st.sampled_from([*SIGNED, *KEYED])).map("; ".join))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "piece", ["sig=", '"token": "', "password", "a://", "\\\\", "eyJ", "Authorization: ", "-", "cookie="]
)
def test_a_megabyte_is_masked_in_time(piece: str) -> None:
    masked(piece * (300_000 // len(piece)))


def test_every_text_in_a_value_is_masked() -> None:
    value = {
        "raw": '{"access_token": "abc"}',
        "accountKey": "abc",
        "n": 1,
        "list": ["sig=abcdefgh"],
        "key": "k",
    }
    shown = masked_values(value)
    assert shown == {
        "raw": '{"access_token": "***"}',
        "accountKey": "***",
        "n": 1,
        "list": ["sig=***"],
        "key": "k",
    }


@given(secret=SECRETS)
def test_no_error_shows_a_secret_whoever_raises_it(secret: str) -> None:
    assert secret not in str(errors.ServiceFailure(f"AccountKey={secret}"))


def test_the_traceback_of_an_error_shows_no_secret_of_its_causes() -> None:
    address, answer = "https://x/b?sig={}".format("abcdefgh"), json.dumps({"access_token": "tellnobody"})

    def fail() -> None:
        try:
            raise ConnectionError(address)
        except ConnectionError as error:
            raise core.ServiceRequestError(answer) from error

    with pytest.raises(errors.AzureMLError) as caught, translated("read the blob"):
        fail()
    shown = "".join(traceback.format_exception(caught.value))
    assert "abcdefgh" not in shown
    assert "tellnobody" not in shown
    assert "in fail" in shown
    assert "ServiceRequestError" in shown
