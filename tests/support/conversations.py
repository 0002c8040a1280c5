"""Conversations to train on."""

from __future__ import annotations

ROWS = [
    {
        "messages": [
            {"role": "user", "content": f"What is {number} plus 1?"},
            {"role": "assistant", "content": f"{number} plus 1 is {number + 1}."},
        ]
    }
    for number in range(1, 13)
]
"""Twelve sums: the smallest data that trains."""


def conversation(number: int) -> dict[str, object]:
    """One row in the schema of ultrachat_200k."""
    question, answer = f"How much is {number} plus 1?", f"It is {number + 1}."
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"prompt": question, "prompt_id": str(number), "messages": turns}
