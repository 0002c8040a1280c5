"""The data: read from the Hub in part, mapped, checked row by row, kept in the workspace."""
