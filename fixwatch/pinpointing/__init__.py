"""Finding the commit of a range where the failure rate changes, with few builds."""
