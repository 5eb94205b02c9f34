"""Where the pages about the API stand, and what a browser may load into them.

Apart from what writes them, which is loaded when somebody first asks for one. It must not know what stands in them.
"""

from __future__ import annotations

from typing import Final

ACTIONS: Final = "/api/actions"
SCRIPT_PATH: Final = "/api/actions.js"
CLIENT: Final = "/api/decl-api-client.js"
HTML: Final = "text/html; charset=utf-8"
JAVASCRIPT: Final = "text/javascript; charset=utf-8"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""What the page of all actions may load: its own script and nothing else."""
