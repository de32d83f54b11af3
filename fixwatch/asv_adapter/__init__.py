"""What plugs into asv."""
