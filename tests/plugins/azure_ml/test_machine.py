"""Errors of the operating system keep their own cause: they are not the network's, nor the user's input."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from pathlib import Path

import httpx
import pytest
from azure.core import exceptions as core

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.hook._translate import translated
from tests.support.limits import no_file_above


def system(number: int, file: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), file)


def raised_from(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


def told(failure: Exception) -> errors.AzureMLError:
    with pytest.raises(errors.AzureMLError) as caught, translated("do it"):
        raise failure
    return caught.value


@pytest.mark.parametrize(
    ("failure", "kind", "word"),
    [
        (system(errno.ENOSPC, "/data/x"), errors.DiskFull, "No space left on device (/data/x)"),
        (system(errno.EDQUOT), errors.DiskFull, "quota exceeded"),
        (system(errno.EACCES, "/data/x"), errors.FileRefused, "Permission denied (/data/x)"),
        (system(errno.EROFS, "/data/x"), errors.FileRefused, "Read-only file system"),
        (system(errno.EMFILE), errors.MachineFailure, "Too many open files"),
        (system(errno.ENOENT, "ca.pem"), errors.MachineFailure, "No such file or directory (ca.pem)"),
        (system(errno.EIO), errors.MachineFailure, "Input/output error"),
        (
            raised_from(core.ServiceRequestError("sending failed"), system(errno.ENOSPC)),
            errors.DiskFull,
            "No space left",
        ),
        (
            raised_from(httpx.ConnectError("failed"), system(errno.EMFILE)),
            errors.MachineFailure,
            "Too many open",
        ),
    ],
)
def test_a_failure_of_this_machine_is_told_in_its_own_words(
    failure: Exception, kind: type[errors.AzureMLError], word: str
) -> None:
    error = told(failure)
    assert type(error) is kind
    assert word in str(error)
    assert kind.cure in str(error)
    assert "network" not in str(error)
    assert "nothing answers" not in str(error)


@pytest.mark.parametrize(
    "failure",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
        TimeoutError(errno.ETIMEDOUT, "timed out"),
        system(errno.ENETUNREACH),
        system(errno.EHOSTUNREACH),
        system(errno.EACCES),  # a firewall, as no file is named
        socket.gaierror(-2, "Name or service not known"),
        ssl.SSLCertVerificationError(1, "self-signed certificate"),
        httpx.ReadTimeout("timed out"),
    ],
)
def test_a_failure_of_the_network_stays_one(failure: Exception) -> None:
    assert type(told(failure)) is errors.Unreachable


def test_what_a_service_refuses_is_not_blamed_on_the_disk() -> None:
    refusal = core.HttpResponseError("no")
    refusal.status_code = 403
    assert type(told(raised_from(refusal, system(errno.ENOENT, "token-cache")))) is errors.AuthFailed


def test_a_really_full_disk_says_so() -> None:
    with pytest.raises(errors.DiskFull, match="No space left on device"), translated("write"):
        Path("/dev/full").write_text("x")


def test_a_download_that_finds_no_room_says_so(hook: AzureMLHook) -> None:
    hook.files.write("tests/large/rows.jsonl", b"x" * 200_000)
    uri = hook.files.uri("tests/large/rows.jsonl")
    with pytest.raises(errors.DiskFull, match=r"Cannot download .*File too large"), no_file_above(100_000):
        hook.data.read_lines(uri)
