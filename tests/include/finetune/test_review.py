"""Metrics as losses and as a table."""

from __future__ import annotations

from include.finetune import review

RUNS = {
    "chat_completion_finetune": {"loss": 2.0, "eval_loss": 1.5, "base_eval_loss": 3.0, "epoch": 3.0},
    "ft_nlp_model_converter": {"seconds": 4.0},
}


def test_the_losses_are_found_whichever_run_has_logged_them() -> None:
    result = review.review(RUNS)
    assert (result["train_loss"], result["eval_loss"], result["base_eval_loss"]) == (2.0, 1.5, 3.0)
    assert result["runs"] == RUNS


def test_the_mean_over_the_training_is_preferred_to_the_last_step() -> None:
    assert review.review({"finetune": {"loss": 2.0, "train_loss": 2.5}})["train_loss"] == 2.5


def test_the_tuned_models_loss_on_training_rows_is_preferred_to_the_mean() -> None:
    result = review.review({"finetune": {"train_loss": 2.5, "tuned_train_loss": 1.5, "base_train_loss": 4.0}})
    assert (result["train_loss"], result["base_train_loss"]) == (1.5, 4.0)


def test_a_component_that_measures_no_base_loss_gives_none() -> None:
    assert review.review({"finetune": {"eval_loss": 1.0}})["base_eval_loss"] is None


def test_the_table_names_every_metric_of_every_run() -> None:
    table = review.table(RUNS)
    for run, metrics in RUNS.items():
        assert run in table
        assert all(metric in table for metric in metrics)
