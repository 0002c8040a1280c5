"""Tells the training's progress: readable lines in the log, numbers to MLflow."""

from __future__ import annotations

import os
import time
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from .step import say

# What MLflow gets at every step that has it.
LOGGED = ("loss", "learning_rate", "grad_norm", "epoch", "eval_loss", "eval_f1", "eval_exact")


class Metrics:
    """Sends numbers to the MLflow run that the environment names; without MLflow's address it does nothing.

    Environment: ``MLFLOW_TRACKING_URI``, ``MLFLOW_RUN_ID`` (a new run is made if missing).
    """

    def __init__(self) -> None:
        self._client: Any = None
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            say("MLFLOW_TRACKING_URI is not set: metrics go to this log only")
            return
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        import mlflow

        self._client = mlflow.MlflowClient()
        self._run = os.environ.get("MLFLOW_RUN_ID") or mlflow.start_run().info.run_id

    def send(self, values: dict[str, float], step: int) -> None:
        """Log numbers of one step; a failure is told once and does not end the training."""
        if self._client is None or not values:
            return
        from mlflow.entities import Metric
        from mlflow.exceptions import MlflowException

        now = int(time.time() * 1000)
        try:
            self._client.log_batch(
                self._run, metrics=[Metric(name, value, now, step) for name, value in values.items()]
            )
        except MlflowException as error:
            say(f"MLflow did not take the metrics, they go to this log only from here: {error}")
            self._client = None

    def describe(self, values: dict[str, Any]) -> None:
        """Log the run's parameters."""
        if self._client is None:
            return
        from mlflow.entities import Param
        from mlflow.exceptions import MlflowException

        try:
            self._client.log_batch(
                self._run, params=[Param(name, str(value)) for name, value in values.items()]
            )
        except MlflowException as error:
            say(f"MLflow did not take the parameters: {error}")


class Progress(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """One line a logging step: ``step 20/180 epoch 0.33 loss 3.412 lr 1.9e-03 9,800 tokens/s``."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._clock, self._tokens = time.monotonic(), 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Say what is to come."""
        self._clock, self._tokens = time.monotonic(), int(state.num_input_tokens_seen)
        say(f"training for {state.max_steps:,} steps, {state.num_train_epochs} epochs")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Print the line and send the numbers."""
        logs = logs or {}
        where = f"step {state.global_step}/{state.max_steps} epoch {logs.get('epoch', 0):.2f}"
        values = {name: float(logs[name]) for name in LOGGED if name in logs}
        if "loss" in logs:
            now, tokens = time.monotonic(), int(state.num_input_tokens_seen)
            speed = (tokens - self._tokens) / max(now - self._clock, 1e-9)
            self._clock, self._tokens = now, tokens
            values["tokens_per_second"] = speed
            say(f"{where} loss {logs['loss']:.3f} lr {logs['learning_rate']:.1e} {speed:,.0f} tokens/s")
        elif "eval_loss" in logs:
            shown = " ".join(f"{name} {value:.3f}" for name, value in values.items() if name != "epoch")
            say(f"{where} {shown}")
            self._clock = time.monotonic()
        else:
            return
        self._metrics.send(values, state.global_step)
