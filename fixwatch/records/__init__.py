"""What is stored of a measurement, and taking in what others measured."""
