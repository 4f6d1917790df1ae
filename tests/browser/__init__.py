"""What people see, hear and do, in Chromium: one browser for all of these tests."""
