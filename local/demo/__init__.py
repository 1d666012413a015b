"""The demo: the main job on real input, against the deployed stack."""
