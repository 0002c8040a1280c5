"""Loads a model folder: chat models through transformers, every other MLflow model through its own pyfunc."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Protocol

import yaml

from azureml_local.worker.serving.score_body import BadBodyError, Chat, Message, Sampling, read


class Model(Protocol):
    """What a deployment serves."""

    name: str

    def score(self, body: Any) -> Any:
        """The answer to a body, ready for JSON.

        Raises:
            BadBodyError: if the body is not what the model takes.
        """
        ...


class ChatModel:
    """A language model with a chat template."""

    def __init__(self, weights: Path, tokenizer: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        self._torch, self._one_at_a_time = torch, threading.Lock()
        self._tokenizer = AutoTokenizer.from_pretrained(tokenizer)
        gpu = torch.cuda.is_available()
        # A CPU has no fast half precision, whatever the checkpoint was saved in.
        dtype = "auto" if gpu else torch.float32
        self._model = AutoModelForCausalLM.from_pretrained(weights, dtype=dtype).eval()
        if gpu:
            self._model.to("cuda")
        self.name = f"{self._model.config.model_type}, {self._model.num_parameters():,} parameters"

    def score(self, body: Any) -> dict[str, Any]:
        """``{"output": "..."}`` for one conversation, ``{"output": ["...", ...]}`` for a list of them."""
        chat: Chat = read(body)
        with self._one_at_a_time:
            answers = [self._reply(messages, chat.sampling) for messages in chat.conversations]
        return {"output": answers[0] if chat.single else answers}

    def _reply(self, messages: list[Message], sampling: Sampling) -> str:
        coded = self._tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(self._model.device)
        asked = coded["input_ids"].shape[1]
        context = self._model.config.max_position_embeddings
        if asked >= context:
            raise BadBodyError(f"The conversation has {asked} tokens; the model reads fewer than {context}.")
        drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p} if sampling.do_sample else {}
        with self._torch.inference_mode():
            written = self._model.generate(
                **coded,
                do_sample=sampling.do_sample,
                max_new_tokens=min(sampling.max_new_tokens, context - asked),
                eos_token_id=self._ends(),
                pad_token_id=self._tokenizer.pad_token_id,
                **drawn,
            )
        return str(self._tokenizer.decode(written[0][asked:], skip_special_tokens=True)).strip()

    def _ends(self) -> list[int]:
        """Tokens that end an answer: the model's and tokenizer's own, and Phi-3's end of a turn."""
        configured = self._model.generation_config.eos_token_id
        ends = {*(configured if isinstance(configured, list) else [configured]), self._tokenizer.eos_token_id}
        turn = self._tokenizer.convert_tokens_to_ids("<|end|>")
        known = turn is not None and turn != self._tokenizer.unk_token_id
        return [end for end in ends | ({turn} if known else set()) if end is not None]


class PyfuncModel:
    """Any other MLflow model; takes MLflow's own bodies."""

    def __init__(self, folder: Path) -> None:
        import mlflow.pyfunc

        self._model = mlflow.pyfunc.load_model(str(folder))
        self.name = f"MLflow pyfunc model {self._model.metadata.model_uuid}"

    def score(self, body: Any) -> Any:
        """The predictions for ``{"input_data": {"columns", "data"}}`` or ``{"dataframe_split": {...}}``."""
        import pandas as pd
        from mlflow.exceptions import MlflowException

        split = (body.get("dataframe_split") or body.get("input_data")) if isinstance(body, dict) else None
        if not isinstance(split, dict) or "data" not in split:
            raise BadBodyError(
                'The body needs {"input_data": {"columns": [...], "index": [...], "data": [...]}}.'
            )
        try:
            frame = pd.DataFrame(split["data"], columns=split.get("columns"), index=split.get("index"))
            result = self._model.predict(frame, params=body.get("params") or None)
        except (ValueError, MlflowException) as error:
            raise BadBodyError(f"The model does not take this input: {error}") from error
        if isinstance(result, pd.DataFrame):
            return result.to_dict(orient="records")
        return result.tolist() if hasattr(result, "tolist") else result


def load(folder: Path) -> Model:
    """The model of a folder; raises FileNotFoundError: if there is no model in it."""
    described = next(iter(sorted(folder.rglob("MLmodel"), key=lambda path: len(path.parts))), None)
    root = described.parent if described else folder
    for weights, tokenizer in (
        (root / "model", root / "components" / "tokenizer"),
        (root / "data" / "model", root / "data" / "tokenizer"),
    ):
        if (weights / "config.json").is_file():
            return ChatModel(weights, tokenizer)
    if (root / "config.json").is_file():
        return ChatModel(root, root)
    if described is None:
        raise FileNotFoundError(f"No MLmodel and no config.json in {folder}: this is not a model folder.")
    yaml.safe_load(described.read_text())["flavors"]["python_function"]  # KeyError names what is missing
    return PyfuncModel(root)
