"""The command ``azureml-local``: start the service, point a shell at it, end it."""
