"""Variables that change what the program does."""

import os
from collections.abc import Iterator
from typing import Final

from hftoolkit.diagnosing.diagnosis import Finding
from hftoolkit.diagnosing.privacy import ADDRESSES, SECRETS
from hftoolkit.hub import shown

_ALWAYS: Final = ("HF_ENDPOINT", "HF_HOME", "HF_HUB_OFFLINE", "HF_TOKEN")
"""Told of even where they are not set."""

_OTHERS: Final = (
    *("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HFTOOLKIT_CACHE", "TRANSFORMERS_OFFLINE"),
    *("HUGGING_FACE_HUB_TOKEN", "HF_HUB_DISABLE_XET", "DISABLE_SAFETENSORS_CONVERSION"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    *("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "PYTHONPATH"),
)


def environment() -> Iterator[Finding]:
    """Those that are set, secrets without their value; those of everyday use that are not."""
    there = {name for name, value in os.environ.items() if value}
    for name in (*_ALWAYS, *_OTHERS):
        if name in there:
            yield Finding(name, _value(name))
    if missing := [name for name in _ALWAYS if name not in there]:
        yield Finding("not set", ", ".join(missing))


def _value(name: str) -> str:
    if name in SECRETS:
        return "set"
    return shown(os.environ[name]) if name in ADDRESSES else os.environ[name]
