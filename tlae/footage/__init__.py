"""Footage: from files to frames, to a store decoded once, to windows for a net."""
