"""Images: files, random transformations, batches (Keras 2 manual, 6.3)."""
