"""Online endpoints and deployments through the SDK; behind them a stand-in for a model server."""
