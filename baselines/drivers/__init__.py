"""Scripts of ours that run inside another system's environment, on its Python (3.8 and later)."""
