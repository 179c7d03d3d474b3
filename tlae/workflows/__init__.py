"""Settings, footage and models brought together: what each command and ``import tlae`` calls.

Functions here return objects and print nothing; what a user must know meanwhile goes to the log.
"""
