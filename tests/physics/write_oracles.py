"""Write tests/physics/README.md: run the tests of the physics once, recording what they compare.

Usage: python tests/physics/write_oracles.py [further arguments of pytest]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Run pytest with the recorder switched on; return its exit status."""
    folder = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", str(folder), "-o", "enable_assertion_pass_hook=true"]
    command += ["--ignore", str(folder / "test_oracle_table.py")]  # it judges the table that is about to be replaced
    with tempfile.TemporaryDirectory() as cache:
        # Compiled tests of ordinary runs lack the hook for passed assertions; a cache of its own avoids them.
        environment = {**os.environ, "NTN_WRITE_ORACLES": "1", "PYTHONPYCACHEPREFIX": cache, "OMP_NUM_THREADS": "1"}
        return subprocess.run([*command, *sys.argv[1:]], env=environment, cwd=folder.parents[1], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
