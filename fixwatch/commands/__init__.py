"""The commands of ``python -m fixwatch``, one a module or package."""
