"""The batch plan and its runner, which asv, judges and searches share; standard library only."""
