"""Provider loaders, and the provider that comes with holdall."""
