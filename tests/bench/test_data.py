"""The comparison of `make bench-data`, in small."""

from __future__ import annotations

from pathlib import Path

from tests.bench import data, data_layout
from tests.support.azureml_service import AzureMLLocal


def test_five_per_cent_cost_five_per_cent(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    data_layout.write(tmp_path, data_layout.scaled(0.02))
    figures = data.compare(azureml_local, tmp_path, mbit=1000)
    assert figures["bytes_ours"] <= figures["bound"]
    assert figures["bytes_ours"] * 5 < figures["bytes_plain"] > figures["bytes_of_all"]
    assert figures["rss_ours_mb"] <= 1.5 * figures["rss_idle_mb"] + 10
