"""Taking in the results of other machines: what a merge reviews, and the command."""
