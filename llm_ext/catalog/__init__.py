"""The models that can be loaded: files in folders. No native code reads them here."""
