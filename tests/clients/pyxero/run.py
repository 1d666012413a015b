"""pyxero: identity, then accounting."""

import identity  # noqa: F401, I001
import accounting  # noqa: F401
from points import divert, run
from session import Session

divert()
run(Session())
