"""Real data and tables that ship with the package, read through one loader; origins are in PROVENANCE.md."""

from ntn_gym.data.loader import names, path, read_csv, read_json, read_npz, read_text

__all__ = ["names", "path", "read_csv", "read_json", "read_npz", "read_text"]
