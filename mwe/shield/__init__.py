"""The shield: `cudasim_shield`, a file to copy into projects whose tests meet the defects."""
