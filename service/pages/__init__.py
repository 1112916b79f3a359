"""Pages for people, served by the same application: what this is, and why it says what it says."""
