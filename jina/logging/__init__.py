"""The logger that users see."""
