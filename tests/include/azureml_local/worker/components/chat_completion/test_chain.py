"""The five steps in a row, by the command lines of their YAML, on a tiny model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.support.compute_environment import Ran, RunStep

TRAINING = {
    "apply_lora": "true",
    "num_train_epochs": 2,
    "learning_rate": 0.01,
    "lr_scheduler_type": "cosine",
    "logging_steps": 5,
    "precision": "16",
    "apply_deepspeed": "true",
    "apply_ort": "true",
    "save_total_limit": 1,
}


class Chain(NamedTuple):
    """The folder with all outputs, and each step's log."""

    folder: Path
    logs: dict[str, str]


def passed(ran: Ran) -> str:
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


@pytest.fixture(scope="module")
def chain(
    run_step: RunStep, tiny_model: Path, conversations: Path, tmp_path_factory: pytest.TempPathFactory
) -> Chain:
    """All steps run once."""
    out = tmp_path_factory.mktemp("chain")
    imported, prepared, tuned, converted = (out / name for name in ("import", "prepare", "tune", "convert"))
    logs = {
        "import": passed(
            run_step(
                "chat_completion_model_import", {"mlflow_model_path": tiny_model}, {"output_dir": imported}
            )
        ),
        "prepare": passed(
            run_step(
                "chat_completion_datapreprocess",
                {"train_file_path": conversations, "model_selector_output": imported},
                {"output_dir": prepared},
            )
        ),
        "tune": passed(
            run_step(
                "chat_completion_finetune",
                {**TRAINING, "model_selector_output": imported, "preprocess_output": prepared},
                {"pytorch_model_folder": tuned},
                MLFLOW_TRACKING_URI=f"sqlite:///{out}/mlflow.db",
            )
        ),
        "convert": passed(
            run_step("ft_nlp_model_converter", {"model_path": tuned}, {"mlflow_model_folder": converted})
        ),
    }
    return Chain(out, logs)


def test_the_log_says_that_the_model_is_the_stand_in(chain: Chain) -> None:
    assert "LOCAL STAND-IN for Phi-3-mini-4k-instruct" in chain.logs["import"]


def test_validation_and_test_rows_are_held_out_when_neither_file_is_given(chain: Chain) -> None:
    rows = json.loads((chain.folder / "prepare/preprocess_args.json").read_text())["rows"]
    assert rows == {"train": 16, "validation": 2, "test": 2}
    assert "only these are learned" in chain.logs["prepare"]


def test_progress_lines_carry_step_epoch_loss_rate_and_speed(chain: Chain) -> None:
    line = r"^step \d+/32 epoch \d\.\d\d loss \d+\.\d{3} lr \d\.\de-\d\d [\d,]+ tokens/s$"
    assert len(re.findall(line, chain.logs["tune"], re.M)) == 6


def test_what_a_machine_without_gpu_cannot_do_is_said_and_passed_over(chain: Chain) -> None:
    for asked in ("precision=16", "apply_deepspeed=true (stage 2)", "apply_ort=true"):
        assert f"{asked} is passed over" in chain.logs["tune"]


def test_the_tuned_model_scores_better_than_its_base_on_the_held_out_rows(chain: Chain) -> None:
    scores = json.loads((chain.folder / "tune/metrics.json").read_text())
    assert scores["eval_loss"] < scores["base_eval_loss"]
    assert scores["test_loss"] < scores["base_test_loss"]
    assert scores["train_runtime"] > 0
    assert scores["tokens_per_second"] > 0


def test_metrics_go_to_the_mlflow_run(chain: Chain) -> None:
    import sqlite3

    with sqlite3.connect(chain.folder / "mlflow.db") as database:
        counts: dict[str, Any] = dict(
            database.execute("SELECT key, COUNT(*) FROM metrics GROUP BY key").fetchall()
        )
    assert counts["loss"] == counts["learning_rate"] == counts["grad_norm"] == 6
    assert counts["eval_loss"] == 3  # one an epoch, and the final one
    for once in ("base_eval_loss", "base_test_loss", "test_loss", "train_loss", "train_runtime"):
        assert counts[once] == 1


def test_the_output_is_an_mlflow_chat_model_with_its_template(chain: Chain) -> None:
    folder = chain.folder / "convert"
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert described["flavors"]["transformers"]["inference_task"] == "llm/v1/chat"
    assert described["metadata"]["base_model_task"] == "chat-completion"
    assert described["metadata"]["base_model_name"] == "Phi-3-mini-4k-instruct"
    assert "<|assistant|>" in (folder / "components/tokenizer/chat_template.jinja").read_text()
    assert not any("torchvision" in line for line in (folder / "requirements.txt").read_text().splitlines())
    assert str(chain.folder) not in (folder / "MLmodel").read_text()


def test_a_tuned_model_can_be_imported_again(chain: Chain, run_step: RunStep, tmp_path: Path) -> None:
    inputs = {"mlflow_model_path": chain.folder / "convert"}
    passed(run_step("chat_completion_model_import", inputs, {"output_dir": tmp_path}))
    assert (tmp_path / "model/config.json").is_file()
    assert (tmp_path / "model/tokenizer.json").is_file()


def test_an_unmerged_adapter_trained_with_every_other_option_is_converted(
    chain: Chain, run_step: RunStep, tmp_path: Path
) -> None:
    inputs = {
        "apply_lora": "true",
        "merge_lora_weights": "false",
        "lora_dropout": 0.1,
        "max_steps": 6,
        "optim": "adafactor",
        "evaluation_strategy": "steps",
        "evaluation_steps_interval": 0.25,
        "metric_for_best_model": "f1",
        "apply_early_stopping": "true",
        "early_stopping_patience": 2,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 2,
        "warmup_steps": 2,
        "eval_accumulation_steps": 1,
        "logging_strategy": "epoch",
        "lr_scheduler_type": "constant_with_warmup",
        "resume_from_checkpoint": "true",
        "model_selector_output": chain.folder / "import",
        "preprocess_output": chain.folder / "prepare",
    }
    tuned = tmp_path / "tuned"
    log = passed(run_step("chat_completion_finetune", inputs, {"pytorch_model_folder": tuned}))
    assert "no checkpoint yet" in log
    assert "MLFLOW_TRACKING_URI is not set" in log
    assert re.search(r"step 1/6 .*eval_loss \d+\.\d+ eval_f1 \d+\.\d+", log)
    assert (tuned / "adapter_config.json").is_file()
    converted = tmp_path / "converted"
    log = passed(
        run_step("ft_nlp_model_converter", {"model_path": tuned}, {"mlflow_model_folder": converted})
    )
    assert "merging the adapter" in log
    assert (converted / "model/model.safetensors").is_file()


def test_a_folder_without_a_model_is_refused(run_step: RunStep, tmp_path: Path) -> None:
    ran = run_step(
        "chat_completion_model_import", {"mlflow_model_path": tmp_path}, {"output_dir": tmp_path / "out"}
    )
    assert ran.returncode == 1
    assert "Error: No model in" in ran.stdout
