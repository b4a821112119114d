"""Numbers from arrays of pictures. No files, no training."""
