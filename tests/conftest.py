"""What holds for all tests: they depend on nobody's environment, and a busy machine fails none of them."""

import os

from hypothesis import HealthCheck, settings

for name in list(os.environ):
    if name.startswith("CONNECTOR_") or name in {"FORCE_COLOR", "TTY_COMPATIBLE"}:
        del os.environ[name]

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")
