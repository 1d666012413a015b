"""The settings of the deployment, section by section."""
