"""The five steps of ``chat_completion_pipeline``.

Each is run as ``python -m chat_completion.<step>`` in a folder that holds this package.
"""
