"""Workflow automation connector for the Intilery and Intempt customer-data platforms."""

__version__ = "0.1.0"
