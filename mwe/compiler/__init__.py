"""The target that needs no device: kernels are compiled to PTX, and the output is judged."""
