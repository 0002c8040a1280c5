"""One deployment as a process of its own."""
