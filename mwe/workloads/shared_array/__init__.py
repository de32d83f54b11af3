"""The shape of the local-array family with `cuda.shared.array` in its place."""
