"""The local stand-in for Phi-3-mini-4k-instruct: a tiny model of the same architecture, made right here."""
