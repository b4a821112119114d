"""Arrays in, files out: sheets of pictures, learning curves, clips. Nothing here trains or imports torch."""
