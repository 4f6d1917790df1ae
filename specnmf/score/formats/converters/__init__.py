"""Programs that read a score with another library, and print what sounds as JSON.

They import nothing of this package, so that they start quickly.
"""
