"""Tests of the search for a change."""
