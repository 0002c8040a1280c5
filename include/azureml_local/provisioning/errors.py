"""Why something could not be made."""


class ProvisioningError(RuntimeError):
    """The compute environment or the stand-in could not be made; the message says why, and what to do."""
