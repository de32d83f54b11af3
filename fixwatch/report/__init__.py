"""From evidence to what people read: series, status, table, page."""
