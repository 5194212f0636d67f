"""The stores, provider loaders and runners that come with holdall."""
